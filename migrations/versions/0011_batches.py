"""Batches: jobs whose documents came in one request"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    op.create_table(
        "batch",
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["user_id"], ["user.id"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("uuid"),
    )
    op.create_index("ix_batch_user_id", "batch", ["user_id"])
    op.add_column("job", sa.Column("batch_uuid", sa.String(length=36), nullable=True))
    in_batch = sa.text("batch_uuid IS NOT NULL")
    op.create_index(
        "job_of_batch", "job", ["batch_uuid"], unique=False, sqlite_where=in_batch, postgresql_where=in_batch
    )
