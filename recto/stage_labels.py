"""The stages of reading, and how their times are kept: by stage and bucket.

open       the document, once
prepare    a page: taken out of its document, preprocessed, its words put in order; all that is not one of the next two
recognise  a page: in the engine
store      a page: its checkpoint, flushed to disk
write      the results, once
"""

from typing import Final, Literal, TypeAlias

Stage: TypeAlias = Literal["open", "prepare", "recognise", "store", "write"]
STAGES: Final[tuple[Stage, ...]] = ("open", "prepare", "recognise", "store", "write")
BUCKETS_S: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Upper bounds; what takes longer has a bucket of its own."""


def stage_label(stage: str, bucket: int) -> str:
    """Of a time in that bucket, from 0 to len(BUCKETS_S)."""
    return f"{stage} {bucket}"
