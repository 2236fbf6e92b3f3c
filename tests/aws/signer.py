# SPDX-License-Identifier: Apache-2.0
"""Signature Version 4, as its description says, and nothing of what server/sigv4.c does."""
import datetime
import hashlib
import hmac


def sign(method, host, path, body, headers, key, secret, service, region="eu-central-1", at=None, omit=()):
    """The headers of a request with its signature; `omit`: names that are not signed."""
    at = at or datetime.datetime.now(datetime.timezone.utc)
    moment, day = at.strftime("%Y%m%dT%H%M%SZ"), at.strftime("%Y%m%d")
    headers = {**headers, "Host": host, "X-Amz-Date": moment}
    signed = sorted((k.lower(), " ".join(v.split())) for k, v in headers.items() if k.lower() not in omit)
    names = ";".join(k for k, _ in signed)
    canonical = "\n".join([method, path, "", *("%s:%s" % pair for pair in signed), "", names,
                           hashlib.sha256(body).hexdigest()])
    scope = "%s/%s/%s/aws4_request" % (day, region, service)
    text = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    made = ("AWS4" + secret).encode()
    for part in (day, region, service, "aws4_request"):
        made = hmac.new(made, part.encode(), hashlib.sha256).digest()
    signature = hmac.new(made, text.encode(), hashlib.sha256).hexdigest()
    headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (key, scope, names, signature)
    return headers
