"""Numbers that metrics read, and the request that a job came with"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"

# What was counted before there was a count. A scan, once.
_COUNTS = (
    "SELECT 'jobs_finished' AS name, '' AS label, count(*) AS value FROM job WHERE status = 'FINISHED'",
    "SELECT 'jobs_failed' AS name, coalesce(reason_code, '') AS label, count(*) AS value FROM job WHERE status = 'FAILURE' GROUP BY 2",
    "SELECT 'pages_read' AS name, '' AS label, coalesce(sum(pages_done - pages_failed), 0) AS value FROM job",
    "SELECT 'pages_failed' AS name, error_code AS label, count(*) AS value FROM job_page WHERE error_code IS NOT NULL GROUP BY 2",
)


def upgrade() -> None:
    op.add_column("job", sa.Column("request_id", sa.String(length=64), nullable=True))
    op.add_column("job", sa.Column("trace_parent", sa.String(length=55), nullable=True))
    op.create_table(
        "meter",
        sa.Column("name", sa.String(length=30), nullable=False),
        sa.Column("label", sa.String(length=60), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "label"),
    )
    for count in _COUNTS:
        op.execute(f"INSERT INTO meter (name, label, value) SELECT * FROM ({count}) AS counted WHERE value > 0")  # nosec B608 # noqa: S608 - the lines above
