#!/bin/sh
# Runs tesseract so that the kernel ends it when the process that started it dies, however it dies (prctl(2), PR_SET_PDEATHSIG).
if command -v setpriv >/dev/null 2>&1 && setpriv --pdeathsig KILL true 2>/dev/null; then
    exec setpriv --pdeathsig KILL -- tesseract "$@"
fi
exec tesseract "$@"
