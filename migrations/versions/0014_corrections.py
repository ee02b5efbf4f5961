"""Corrections by people, kept beside what was read"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"


def upgrade() -> None:
    op.add_column("job", sa.Column("revision", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("job_page", sa.Column("revision", sa.Integer(), server_default=sa.text("0"), nullable=False))
    op.add_column("job_page", sa.Column("corrected_confidence", sa.Double(), nullable=True))
    op.create_table(
        "page_correction",
        sa.Column("job_uuid", sa.String(length=36), nullable=False),
        sa.Column("page_number", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(length=100), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.JSON(), nullable=False),
        sa.Column("replaced", sa.Text(), nullable=False),
        sa.Column("undone_us", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["job_uuid"], ["job.uuid"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_uuid", "page_number", "revision"),
    )
