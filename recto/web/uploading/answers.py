"""What the API answers those who send documents, and keep within limits, as types, like those of recto/web/answers.py."""

from pydantic import Field

from recto.web.answers import Answer, Moment


class UploadOffer(Answer):
    """Where a document may be put straight into the store."""

    upload_id: str = Field(
        description="Names the upload in `POST /api/v1/jobs?upload=…`", examples=["5f0c8b6e1d2a4c3f9b7e6d5c4b3a2f10"]
    )
    upload_url: str = Field(
        description="PUT the document here as it is, without a token. Whoever has this address may",
        examples=["https://s3.example.org/recto/.incoming/upload-1-5f0c8b6e1d2a4c3f9b7e6d5c4b3a2f10?X-Amz-Signature=…"],
    )
    expires: Moment = Field(description="When the address stops working")


class UploadLimits(Answer):
    """Of one request that sends a document."""

    max_bytes: int = Field(description="Of the document; above, 413", examples=[209715200])
    max_batch_documents: int = Field(description="In one batch; above, 413", examples=[100])
    max_batch_bytes: int = Field(description="Of the documents of a batch together; above, 413", examples=[1073741824])
    direct: bool = Field(description="Whether `POST /api/v1/uploads` gives links straight to the store")
    min_bytes_per_s: int = Field(description="How fast the body has to arrive; 0: anything at all", examples=[1000])
    header_timeout_s: float = Field(description="For the headers of any request", examples=[20.0])
    body_timeout_s: float = Field(description="How long the body may be slower than that; then 408", examples=[30.0])


class DocumentLimits(Answer):
    """Of what is in a document."""

    max_pages: int = Field(examples=[5000])
    max_page_px: int = Field(
        description="Pixels of one page; larger PDF pages are rendered smaller, larger images refused",
        examples=[200000000],
    )
    max_document_px: int = Field(description="Pixels of all pages together", examples=[100000000000])
    max_languages: int = Field(description="In the option `languages`", examples=[8])


class RateLimits(Answer):
    """Of requests in a time; above, 429. Null for no limit."""

    uploads_per_minute: int | None = Field(description="Of one user", examples=[1200])
    tokens_per_hour: int | None = Field(description="New tokens of one user", examples=[60])
    sign_ins_per_minute: int | None = Field(description="From one address, good and bad", examples=[60])


class QueueLimits(Answer):
    """Of jobs that have not ended. An administrator may have set another limit for a user."""

    max_unfinished_per_user: int = Field(description="Above, 429", examples=[10000])
    max_unfinished: int = Field(description="Of all users; above, 503", examples=[100000])
    max_attempts: int = Field(description="How often a job is started before it fails", examples=[3])


class WaitingLimits(Answer):
    """Of requests that are held, and of links."""

    max_wait_s: float = Field(description="Longer `wait`s are cut to this", examples=[60.0])
    retry_after_s: int = Field(description="How soon to ask again", examples=[1])
    link_lifetime_s: int = Field(description="How long the link to a file works", examples=[300])


class ReadingLimits(Answer):
    """Of the time that reading may take."""

    page_timeout_s: float = Field(description="For one page", examples=[60.0])
    page_timeout_s_per_megapixel: float = Field(description="And for each million of its pixels", examples=[8.0])
    job_timeout_s: float = Field(description="For one attempt of a job", examples=[3600.0])
    job_timeout_s_per_page: float = Field(description="And for each of its pages", examples=[300.0])


class ListLimits(Answer):
    """Of lists."""

    max_jobs: int = Field(description="In one answer of the list; a larger `limit` is cut to this", examples=[200])
    max_pages: int = Field(description="In one answer of a job's pages", examples=[1000])
    max_changes: int = Field(description="In one answer of `?after=`", examples=[500])
    max_search_characters: int = Field(description="In `q` of a search", examples=[200])
    max_search_terms: int = Field(description="Words and phrases in `q` of a search", examples=[20])


class Limits(Answer):
    """What a client has to keep within, by this Recto's settings."""

    upload: UploadLimits
    document: DocumentLimits
    rates: RateLimits
    queue: QueueLimits
    waiting: WaitingLimits
    reading: ReadingLimits
    lists: ListLimits
