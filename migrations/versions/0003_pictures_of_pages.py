"""Pictures of pages, and what was done to each page"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.add_column("job_page", sa.Column("text_layer", sa.String(length=10), nullable=True))
    op.add_column("job_page", sa.Column("preprocessing", sa.JSON(none_as_null=True), nullable=True))
    # Made anew, with a name for more than formats: its rows count for a minute at most.
    op.drop_table("job_derivation")
    op.create_table(
        "job_derivation",
        sa.Column("job_uuid", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=40), nullable=False),
        sa.Column("token", sa.String(length=32), nullable=False),
        sa.Column("expires_us", sa.BigInteger(), nullable=False),
        sa.Column("error_code", sa.String(length=50), nullable=True),
        sa.Column("error_detail", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["job_uuid"], ["job.uuid"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_uuid", "name"),
    )
