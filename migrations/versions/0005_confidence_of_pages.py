"""How sure the engine was of each page"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("job_page", sa.Column("confidence", sa.Double(), nullable=True))
