"""English names of Tesseract's language codes (tessdata's own list), for the upload form."""

from typing import Final

NAMES: Final = {
    "afr": "Afrikaans", "ara": "Arabic", "bel": "Belarusian", "bul": "Bulgarian", "cat": "Catalan", "ces": "Czech",
    "chi_sim": "Chinese, simplified", "chi_tra": "Chinese, traditional", "cym": "Welsh", "dan": "Danish", "deu": "German",
    "ell": "Greek", "eng": "English", "enm": "English, Middle", "epo": "Esperanto", "est": "Estonian", "eus": "Basque",
    "fas": "Persian", "fin": "Finnish", "fra": "French", "frk": "German, Fraktur", "frm": "French, Middle", "gle": "Irish",
    "glg": "Galician", "grc": "Greek, ancient", "heb": "Hebrew", "hin": "Hindi", "hrv": "Croatian", "hun": "Hungarian",
    "hye": "Armenian", "ind": "Indonesian", "isl": "Icelandic", "ita": "Italian", "ita_old": "Italian, old", "jpn": "Japanese",
    "kat": "Georgian", "kor": "Korean", "lat": "Latin", "lav": "Latvian", "lit": "Lithuanian", "mkd": "Macedonian",
    "mlt": "Maltese", "nld": "Dutch", "nor": "Norwegian", "pol": "Polish", "por": "Portuguese", "ron": "Romanian",
    "rus": "Russian", "slk": "Slovak", "slv": "Slovenian", "spa": "Spanish", "spa_old": "Spanish, old", "sqi": "Albanian",
    "srp": "Serbian", "swa": "Swahili", "swe": "Swedish", "tha": "Thai", "tur": "Turkish", "ukr": "Ukrainian",
    "vie": "Vietnamese", "yid": "Yiddish", "Fraktur": "Fraktur script",
}  # fmt: skip


def language_name(code: str) -> str:
    """The English name, or the code itself for data that tessdata does not list."""
    return NAMES.get(code, code)
