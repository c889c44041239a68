"""Who gave a conversation its title, and of which one an answer tells."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.add_column(
        "context_conversations",
        sa.Column("title_author", sa.String(length=160), server_default="", nullable=False),
    )
    op.add_column(
        "context_requests",
        sa.Column("conversation_id", sa.String(length=80), server_default="", nullable=False),
    )
    op.create_index(
        "context_requests_of_conversations",
        "context_requests",
        ["conversation_id"],
        unique=False,
        sqlite_where=sa.text("kind = 'conversation'"),
        postgresql_where=sa.text("kind = 'conversation'"),
    )
