"""How a body is sent: by its length, in chunks, and in ways whose end two readers could see in different places."""

from __future__ import annotations


def framed(body: bytes, how: str) -> tuple[list[str], bytes]:
    """The header lines that announce ``body``, and what is sent behind the head."""
    length = f"Content-Length: {len(body)}"
    chunked = "Transfer-Encoding: chunked"
    whole = b"%x\r\n%b\r\n" % (len(body), body)
    end = b"0\r\n\r\n"
    return {
        "length": lambda: ([length], body),
        "chunked": lambda: ([chunked], whole + end),
        "small chunks": lambda: ([chunked], b"".join(b"1\r\n%c\r\n" % byte for byte in body) + end),
        "extensions": lambda: ([chunked], whole.replace(b"\r\n", b';a="b;\\"c"\r\n', 1) + end),
        "trailers": lambda: ([chunked, "Trailer: Content-Type"], whole + b"0\r\nContent-Type: text/plain\r\n\r\n"),
        "upper": lambda: (["TRANSFER-ENCODING: Chunked"], whole + end),
        "leading zeros": lambda: ([chunked], b"0000" + whole + b"000\r\n\r\n"),
        "bare line feeds": lambda: ([chunked], (whole + end).replace(b"\r\n", b"\n")),
        "two last chunks": lambda: ([chunked], whole + end + end),
        "no last chunk": lambda: ([chunked], whole),
        "short": lambda: ([f"Content-Length: {len(body) + 5}"], body),
        "long": lambda: ([f"Content-Length: {len(body) - 2}"], body),
        "both": lambda: ([length, chunked], whole + end),
        "twice": lambda: ([length, length], body),
        "signed": lambda: ([f"Content-Length: +{len(body)}"], body),
        "lists": lambda: ([f"Content-Length: {len(body)}, {len(body)}"], body),
    }[how]()
