"""What SQLAlchemy has no words for: the index of the text, the triggers, and the first rows of tables that have one.

Statements that models.py has executed behind its tables. `migrations/` repeats them, as they were at each version.
"""

from typing import Final

_FIRST_ROWS: Final = {
    "change_counter": "INSERT INTO change_counter (id, value) VALUES (1, 0)",
    "text_removal": "INSERT INTO text_removal VALUES (1, 0, 0)",
}

PAGE_TEXT_INDEX: Final = (
    (
        "CREATE VIRTUAL TABLE page_text_index USING fts5(user_id, text, content='page_text', content_rowid='id', "
        "tokenize='unicode61 remove_diacritics 2')"
    ),
    (
        "CREATE TRIGGER page_text_indexed AFTER INSERT ON page_text BEGIN "
        "INSERT INTO page_text_index (rowid, user_id, text) VALUES (NEW.id, NEW.user_id, NEW.text); END"
    ),
    (
        "CREATE TRIGGER page_text_removed AFTER DELETE ON page_text BEGIN "
        "INSERT INTO page_text_index (page_text_index, rowid, user_id, text) VALUES ('delete', OLD.id, OLD.user_id, OLD.text); "
        "UPDATE text_removal SET removed = removed + 1; END"
    ),
)
"""SQLite: FTS5 over the rows of PageText, which hold the text itself (https://www.sqlite.org/fts5.html, 4.4.3, external content).

A row that goes with its job, by the foreign key, fires the trigger as well.
"""
_PAGE_TEXT_INDEX_POSTGRESQL: Final = (
    "ALTER TABLE page_text ADD COLUMN words tsvector",
    "CREATE INDEX page_text_index ON page_text USING gin (words)",
)
"""PostgreSQL: the words beside the text, as recto/text_search/text_index.py writes them. What a server takes for a word would depend on its locale."""

_REFUSE = "BEGIN SELECT RAISE(ABORT, 'job_status_transition is append-only'); END"
_JOB_LIVES = "WHEN EXISTS (SELECT 1 FROM job WHERE uuid = OLD.job_uuid)"
TRANSITION_TRIGGERS: Final = (
    f"CREATE TRIGGER job_status_transition_no_update BEFORE UPDATE ON job_status_transition {_REFUSE}",
    f"CREATE TRIGGER job_status_transition_no_delete BEFORE DELETE ON job_status_transition {_JOB_LIVES} {_REFUSE}",
)
"""SQLite. A deletion that cascades from the job is let through: by then the job's row is gone."""

_AUDIT_TRIGGER: Final = (
    "CREATE TRIGGER audit_event_no_update BEFORE UPDATE ON audit_event "
    "BEGIN SELECT RAISE(ABORT, 'audit_event is append-only'); END"
)
"""SQLite. What is older than the log's lifetime is deleted; nothing is ever changed."""

_POSTGRESQL_FUNCTIONS: Final = (
    """
CREATE FUNCTION recto_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'integrity_constraint_violation';
END $$""",
    """
CREATE FUNCTION recto_refuse_while_job_lives() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    IF EXISTS (SELECT 1 FROM job WHERE uuid = OLD.job_uuid) THEN
        RAISE EXCEPTION USING MESSAGE = TG_TABLE_NAME || ' is append-only', ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN OLD;
END $$""",
    """
CREATE FUNCTION recto_tell() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    PERFORM pg_notify('recto', '');
    RETURN NULL;
END $$""",
)
"""A trigger of SQLite has its statements in itself; one of PostgreSQL calls a function."""

_POSTGRESQL_TRIGGERS: Final = (
    ("job_status_transition_no_update", "BEFORE UPDATE", "job_status_transition", "ROW", "recto_refuse"),
    (
        "job_status_transition_no_delete",
        "BEFORE DELETE",
        "job_status_transition",
        "ROW",
        "recto_refuse_while_job_lives",
    ),
    ("audit_event_no_update", "BEFORE UPDATE", "audit_event", "ROW", "recto_refuse"),
    # Word to those who wait (recto/database/commits.py): every write to a job, and every sign-in and token that ends.
    ("change_counter_tell", "AFTER UPDATE", "change_counter", "STATEMENT", "recto_tell"),
    ("user_session_tell", "AFTER DELETE", "user_session", "STATEMENT", "recto_tell"),
    ("api_token_tell", "AFTER DELETE", "api_token", "STATEMENT", "recto_tell"),
)

AFTER_CREATE: Final[tuple[tuple[str | None, str | None, str], ...]] = (
    *((table, None, statement) for table, statement in _FIRST_ROWS.items()),
    *(("page_text", "sqlite", statement) for statement in PAGE_TEXT_INDEX),
    *(("page_text", "postgresql", statement) for statement in _PAGE_TEXT_INDEX_POSTGRESQL),
    *(("job_status_transition", "sqlite", statement) for statement in TRANSITION_TRIGGERS),
    ("audit_event", "sqlite", _AUDIT_TRIGGER),
    *((None, "postgresql", statement) for statement in _POSTGRESQL_FUNCTIONS),
    *(
        (
            None,
            "postgresql",
            f"CREATE TRIGGER {name} {when} ON {table} FOR EACH {each} EXECUTE FUNCTION {function}()",
        )
        for name, when, table, each, function in _POSTGRESQL_TRIGGERS
    ),
)
"""The table behind which a statement is executed, None for all of them; the dialect that it is for, None for both; the statement."""
