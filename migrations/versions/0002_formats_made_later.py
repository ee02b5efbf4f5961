"""Formats made after the job, and warnings about a document as a whole"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    op.add_column("job", sa.Column("warnings", sa.JSON(), server_default=sa.text("'[]'"), nullable=False))
    op.create_table(
        "job_derivation",
        sa.Column("job_uuid", sa.String(length=36), nullable=False),
        sa.Column("result_format", sa.String(length=20), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("error_code", sa.String(length=50), nullable=True),
        sa.Column("error_detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["job_uuid"], ["job.uuid"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_uuid", "result_format"),
    )
