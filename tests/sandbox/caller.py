"""A client of the stand-in that believes everything, for tests of the stand-in itself."""

from typing import Any, Self

import requests

from tests.sandbox.server import Sandbox
from tests.sandbox.world import ACCOUNT


class Caller:
    """A client that believes everything."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        self.http = requests.Session()
        self.http.trust_env = False
        self.head = {"Authorization": f"Bearer {sandbox.tokens.mint()}"}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.http.close()

    def get(self, path: str, head: dict[str, str] | None = None, **query: Any) -> requests.Response:
        url = path if path.startswith("http") else self.sandbox.api_url + path
        return self.http.get(url, params=query, headers=self.head | (head or {}), timeout=5)

    def delete(self, path: str, **query: Any) -> requests.Response:
        return self.http.delete(self.sandbox.api_url + path, params=query, headers=self.head, timeout=5)

    def token(self, **changed: Any) -> requests.Response:
        form = {"grant_type": "account_credentials", "account_id": ACCOUNT} | changed
        pair = (self.sandbox.client_id, self.sandbox.client_secret)
        return self.http.post(self.sandbox.oauth_url, data=form, auth=pair, timeout=5)

    def pages(self, path: str, **query: Any) -> list[dict[str, Any]]:
        pages = [self.get(path, **query).json()]
        while token := pages[-1]["next_page_token"]:
            pages.append(self.get(path, **query, next_page_token=token).json())
        return pages
