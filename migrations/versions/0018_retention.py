"""How long jobs are kept"""

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"

_EXPIRING = sa.text("expires_us IS NOT NULL")


def upgrade() -> None:
    op.add_column("user", sa.Column("retention_s", sa.BigInteger(), nullable=True))
    op.add_column("job", sa.Column("retention_s", sa.BigInteger(), nullable=True))
    op.add_column("job", sa.Column("expires_us", sa.BigInteger(), nullable=True))
    op.create_index("job_expiring", "job", ["expires_us"], sqlite_where=_EXPIRING, postgresql_where=_EXPIRING)
