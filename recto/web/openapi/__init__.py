"""The API's own description: what each view states of itself, and the OpenAPI document made from it."""
