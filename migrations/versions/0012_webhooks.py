"""Webhooks of users, and what is to be sent, and was"""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_ROW_ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "webhook",
        sa.Column("user_id", _ROW_ID, sa.ForeignKey("user.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("secret", sa.String(length=100), nullable=False),
        sa.Column("previous_secret", sa.String(length=100), nullable=True),
        sa.Column("previous_until_us", sa.BigInteger(), nullable=True),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
    )
    op.create_table(
        "webhook_delivery",
        sa.Column("id", sa.String(length=36), primary_key=True),
        sa.Column("job_uuid", sa.String(length=36), sa.ForeignKey("job.uuid", ondelete="CASCADE"), nullable=False),
        sa.Column("user_id", _ROW_ID, sa.ForeignKey("user.id", ondelete="CASCADE"), nullable=False),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("event", sa.String(length=20), nullable=True),
        sa.Column("timestamp", sa.BigInteger(), nullable=True),
        sa.Column("status", sa.String(length=9), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("retries", sa.Integer(), nullable=False),
        sa.Column("next_attempt_us", sa.BigInteger(), nullable=True),
        sa.Column("token", sa.String(length=32), nullable=True),
        sa.Column("last_attempt_us", sa.BigInteger(), nullable=True),
        sa.Column("last_status", sa.Integer(), nullable=True),
        sa.Column("error_code", sa.String(length=50), nullable=True),
        sa.Column("error_detail", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "status IN ('WAITING', 'PENDING', 'DELIVERED', 'GIVEN_UP')", name="webhook_delivery_status_known"
        ),
        sa.CheckConstraint(
            "(status = 'PENDING') = (next_attempt_us IS NOT NULL)", name="webhook_delivery_time_while_pending"
        ),
    )
    op.create_index("webhook_delivery_of_job", "webhook_delivery", ["job_uuid"], unique=False)
    for name, column, where in (
        ("webhook_delivery_expected", "user_id", "status = 'WAITING'"),
        ("webhook_delivery_due", "next_attempt_us", "status = 'PENDING'"),
        ("webhook_delivery_under_way", "user_id", "token IS NOT NULL"),
    ):
        op.create_index(
            name,
            "webhook_delivery",
            [column],
            unique=False,
            sqlite_where=sa.text(where),
            postgresql_where=sa.text(where),
        )
