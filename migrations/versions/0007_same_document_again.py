"""The same document again, answered from what was read before"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    # Jobs that there are have no digest: they answer for nothing.
    op.add_column("job", sa.Column("content_sha256", sa.String(length=64), nullable=True))
    op.add_column("job", sa.Column("result_version", sa.String(length=200), nullable=True))
    op.add_column("job", sa.Column("deduplicated_from", sa.String(length=36), nullable=True))
    op.add_column("job", sa.Column("result_created_us", sa.BigInteger(), nullable=True))
    op.create_index(
        "job_to_reuse",
        "job",
        ["user_id", "content_sha256", "created_us"],
        unique=False,
        sqlite_where=sa.text("result_version IS NOT NULL"),
        postgresql_where=sa.text("result_version IS NOT NULL"),
    )
    op.add_column("worker", sa.Column("result_version", sa.String(length=200), nullable=True))
