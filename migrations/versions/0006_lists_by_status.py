"""Lists of jobs with one status, at a cost that does not grow with the others"""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    for name, status in (("job_finished", "FINISHED"), ("job_failed", "FAILURE")):
        where = sa.text(f"status = '{status}'")
        op.create_index(
            name,
            "job",
            ["user_id", "created_us", "uuid"],
            unique=False,
            sqlite_where=where,
            postgresql_where=where,
        )
