"""OpenCV steps that make a page easier to read, and which of them a page gets (plan.py)."""

import cv2

# One page per process and one process per core: threads of OpenCV's own would only take turns.
cv2.setNumThreads(1)
