"""What calls consume of each kind of tokens."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply it."""
    op.add_column(
        "integration_calls",
        sa.Column("cached_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "integration_calls",
        sa.Column(
            "cache_write_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
    )
    op.add_column(
        "integration_calls",
        sa.Column("reasoning_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "integration_calls",
        sa.Column(
            "audio_input_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
    )
    op.add_column(
        "integration_calls",
        sa.Column(
            "audio_output_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
    )
    op.add_column(
        "integration_calls",
        sa.Column(
            "cached_audio_tokens", sa.BigInteger(), server_default=sa.text("0"), nullable=False
        ),
    )
