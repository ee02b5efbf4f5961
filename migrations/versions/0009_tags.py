"""Tags of jobs"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"


def upgrade() -> None:
    op.add_column("job", sa.Column("tags", sa.JSON(), server_default=sa.text("'[]'"), nullable=False))
    op.create_table(
        "job_tag",
        sa.Column("job_uuid", sa.String(length=36), nullable=False),
        sa.Column("tag", sa.String(length=64), nullable=False),
        sa.Column("user_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("created_us", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["job_uuid"], ["job.uuid"], ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("job_uuid", "tag"),
    )
    op.create_index("job_tag_of_user", "job_tag", ["user_id", "tag", "created_us", "job_uuid"], unique=False)
