"""What administrators see and set: users who may not sign in, what each keeps and may keep, and how many jobs ended in each hour"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"

_KEPT = """
UPDATE "user" SET
  stored_documents = (SELECT count(*) FROM job WHERE job.user_id = "user".id),
  stored_bytes = (SELECT coalesce(sum(size_bytes), 0) FROM job WHERE job.user_id = "user".id)
"""


def upgrade() -> None:
    op.add_column("user", sa.Column("is_disabled", sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("user", sa.Column("stored_documents", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("user", sa.Column("stored_bytes", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("user", sa.Column("max_stored_bytes", sa.BigInteger(), nullable=True))
    op.add_column("user", sa.Column("max_unfinished", sa.Integer(), nullable=True))
    op.execute(_KEPT)
    op.create_table(
        "job_tally",
        sa.Column("hour_us", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("outcome", sa.String(length=50), nullable=False),
        sa.Column("jobs", sa.Integer(), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("hour_us", "outcome"),
    )
