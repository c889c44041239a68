"""Erasures that wait hold up no others."""

from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.drop_index(op.f("context_erasure_tasks_waiting"), table_name="context_erasure_tasks")
    op.create_index(
        "context_erasure_tasks_in_turn",
        "context_erasure_tasks",
        ["done_us", "claimed_until_us", "create_us"],
        unique=False,
    )
