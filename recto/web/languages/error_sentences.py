"""What a page says of an error in another language than English, by the error's code: a sentence without what the English detail has in particular."""

from typing import Final

from recto.accounts import MIN_PASSWORD_CHARACTERS

NEVER_ON_A_PAGE: Final = frozenset(
    {
        *("settings_invalid", "lease_lost", "no_answer", "origin_rejected", "upgrade_required", "batch_not_found"),
        *("delivery_not_found", "content_digest_wrong", "document_urls_off", "document_not_fetched", "address_refused"),
        *(
            "idempotency_key_invalid",
            "idempotency_key_reused",
            "idempotency_key_in_use",
            "user_has_jobs",
            "worker_lost",
        ),
        *("upload_not_found", "direct_upload_unavailable"),
    }
)
"""Codes that only programs are told, or that only stand in logs."""

SENTENCES: Final = {
    "internal_error": "Something went wrong inside Recto. It was logged; tell your administrator the time of this answer.",
    "not_found": "There is no page at this address. Your documents are on the start page.",
    "method_not_allowed": "This address does not take this kind of request. Go to the start page.",
    "bad_request": "The request could not be understood. Load the page again and try once more.",
    "request_invalid": "The request could not be understood. Load the page again and try once more.",
    "not_signed_in": "You are signed out. Sign in again.",
    "not_allowed": "You may not do this. Ask an administrator.",
    "identity_unknown": "You signed in elsewhere, but are no user here. Ask an administrator.",
    "sign_on_failed": "The sign-in elsewhere did not succeed. Go back to the sign-in page and try again.",
    "sign_on_unavailable": "Signing in elsewhere is not possible now. Try again later.",
    "user_disabled": "Your account is disabled. Ask an administrator.",
    "csrf_rejected": "The form has expired; it may be from before the last sign-in. Reload the page and try again.",
    "not_acceptable": "There is no such format. Choose one from the document's page.",
    "request_too_slow": "The file arrived too slowly, and the upload was given up. Try again over a faster connection.",
    "job_not_found": "There is no such document among yours. It may have been deleted.",
    "page_not_found": "The document has no such page, or it could not be read.",
    "file_not_found": "This file is not there. Go back to the document and open it again.",
    "user_not_found": "There is no such user. Load the list anew.",
    "token_not_found": "There is no such token any more. Load the account page anew.",
    "session_not_found": "There is no such sign-in any more. Load the account page anew.",
    "upload_too_large": "The file is larger than this server accepts. Split it, or scan at a lower resolution.",
    "upload_empty": "There is no document in the request, or an empty one. Check the file and send it again.",
    "upload_incomplete": "The upload broke off before its end. Send the file again.",
    "upload_unsupported": "Recto does not read this kind of file. Send a PDF or an image, such as PNG, JPEG or TIFF.",
    "option_invalid": "Something that was entered or chosen is not valid. Check it and try again.",
    "language_unknown": "A language that was chosen is not installed. Choose another one.",
    "password_rejected": f"The password is too short. It needs at least {MIN_PASSWORD_CHARACTERS} characters.",
    "user_exists": "There is a user of this name already. Choose another name.",
    "job_failed": "The document could not be read, so there is no result.",
    "result_not_made": "This could not be made from the document. Its other results are there.",
    "job_unfinished": "The document is still being read. Wait until it is finished.",
    "correction_invalid": "The correction does not go with the page. Load the page again.",
    "correction_not_found": "There is no such correction any more. Load the page again.",
    "correction_not_latest": "Later corrections count on this one. Undo those first.",
    "page_changed": "This page was corrected meanwhile. Load it again.",
    "user_queue_full": "You have as many unfinished documents as you may have. Wait until some are read, or delete some.",
    "user_storage_full": "Your storage is full. Delete documents that you do not need, or ask an administrator for more.",
    "too_many_requests": "That was a little too much at once. Wait a while and try again.",
    "too_many_sign_ins": "Too many sign-ins failed. Wait a while and try again.",
    "service_unavailable": "The server cannot do this now. Try again in a moment.",
    "queue_full": "The queue is full. Try again when some of the documents in it are read.",
    "database_busy": "The database is busy. Nothing was changed; try again in a moment.",
    "outcome_unknown": "The connection to the database was lost while it saved. Look whether it was done before you try again.",
    "storage_unavailable": "The server's file storage cannot be used. Nothing was changed; an administrator has to look at it.",
    "storage_full": "The server has too little room for another document. Ask an administrator.",
    "document_unreadable": "The document could not be read.",
    "document_damaged": "The file is damaged or breaks off. Save or scan it anew, then upload it again.",
    "document_encrypted": "The PDF does not open without a password. Give it under “Password of the PDF”.",
    "password_wrong": "The password does not open the PDF. Check its spelling.",
    "document_empty": "The document has no pages. Check that it was saved completely.",
    "document_too_large": "The document has more pages or pixels than this server reads. Split it, or scan at a lower resolution.",
    "document_unsupported": "Recto does not read this kind of file, or not this rare form of it. Save it as PDF, PNG or TIFF.",
    "document_missing": "The document is no longer in the server's storage. Upload it again, and tell an administrator.",
    "page_not_in_document": "Pages were chosen that the document does not have. Choose others.",
    "language_not_installed": "A language that was chosen is not installed. Choose another one, or ask an administrator for it.",
    "engine_missing": "The text recognition is not installed on the server. Tell an administrator.",
    "pdfa_not_possible": "The document cannot be made a PDF/A, for instance because fonts are not embedded. Take the searchable PDF.",
    "page_damaged": "The page is damaged. Scan it anew; the other pages are there.",
    "page_unsupported": "The page is stored in a rare way that Recto does not read. Save it anew as PDF, PNG or TIFF.",
    "page_too_large": "The page has more pixels than this server reads. Scan it at a lower resolution.",
    "page_timeout": "Reading the page took too long. Scan it at a lower resolution, or ask an administrator for more time.",
    "page_crashed": "Reading the page ended the recognition, twice. Save or scan the page anew.",
    "page_out_of_memory": "The page needed too much memory. Scan it at a lower resolution.",
    "page_unreadable": "The text recognition gave up on the page. Scan it anew.",
    "page_not_preprocessed": "The page's text was taken from the PDF, so there is no picture that the engine saw.",
    "job_timeout": "Reading the document took too long. Send fewer pages at once.",
    "cancelled": "You stopped it. To have the document read, send it again.",
    "attempts_exhausted": "Reading the document was begun several times and never came to its end. Save it anew and upload it again.",
    "document_repaired": "The PDF was damaged and was repaired as far as possible; parts may be missing. Compare the result with the original.",
    "signature_ends": "The PDF is digitally signed; the searchable PDF no longer carries a valid signature. Keep the original.",
}
"""By code: those of recto/errors.py that a page may show, those of answers in HTTP itself, and those of remarks on a result."""

HTTP_TITLES: Final = ("Not Found", "Method Not Allowed", "Bad Request")
"""What werkzeug calls the commonest errors that are none of Recto's."""
