"""Sign-in attempts, the audit log, and what a token may do and until when"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.add_column("api_token", sa.Column("expires_us", sa.BigInteger(), nullable=True))
    op.add_column(
        "api_token",
        # The tokens that there are keep what they could do.
        sa.Column("scopes", sa.String(length=100), server_default=sa.text("'jobs:read jobs:write'"), nullable=False),
    )
    op.create_table(
        "sign_in_attempt",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name_hash", sa.String(length=64), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("sign_in_attempt_on_name", "sign_in_attempt", ["name_hash", "timestamp"], unique=False)
    op.create_index("sign_in_attempt_from_address", "sign_in_attempt", ["address", "timestamp"], unique=False)
    op.create_index("sign_in_attempt_at", "sign_in_attempt", ["timestamp"], unique=False)
    op.create_table(
        "audit_event",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("timestamp", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(length=30), nullable=False),
        sa.Column("user_name", sa.String(length=100), nullable=False),
        sa.Column("about", sa.String(length=200), nullable=False),
        sa.Column("address", sa.String(length=64), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(op.f("ix_audit_event_timestamp"), "audit_event", ["timestamp"], unique=False)
    if op.get_context().dialect.name == "sqlite":
        op.execute(
            "CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event "
            "BEGIN SELECT RAISE(ABORT, 'audit_event is append-only'); END"
        )
