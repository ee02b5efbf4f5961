"""`python -m deploy.bucket`: makes the bucket that file_storage.url names, where there is none. For an object store that comes with the rest.

Exit status: 0 the bucket is there · 1 the store refuses or cannot be reached · 78 (EX_CONFIG) the settings name no object store.
"""

import os
import sys
from typing import Any, Final

from recto.errors import FileNotFound, RectoError, SettingsError
from recto.file_storage.s3_client import S3Clients, translated
from recto.settings import load_settings
from recto.storage_setup import S3Place

_REGION_WITHOUT_NAME: Final = "us-east-1"
"""What a bucket lies in unless its making says otherwise; to name it is an error (S3's CreateBucket)."""


def make_bucket(place: S3Place) -> bool:
    """Whether there was none. StorageUnavailable where the store refuses or cannot be reached."""
    client = S3Clients(place).own()
    try:
        with translated(place.bucket):
            client.head_bucket(Bucket=place.bucket)
        return False
    except FileNotFound:
        region = client.meta.region_name
        where: dict[str, Any] = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        with translated(place.bucket):
            client.create_bucket(Bucket=place.bucket, **(where if region != _REGION_WITHOUT_NAME else {}))
        return True


def main() -> int:
    """The exit status; what happened is said in one line."""
    try:
        place = load_settings(os.environ).file_storage.setup.s3
        if place is None:
            raise SettingsError("Which bucket? file_storage.url names no object store.")
        made = make_bucket(place)
    except RectoError as error:
        sys.stderr.write(f"{error.detail}\n")
        return os.EX_CONFIG if isinstance(error, SettingsError) else 1
    sys.stdout.write(f"The bucket {place.bucket} {'was made' if made else 'is there'}.\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
