# Varnish in front of BGRemover (tested with 7.1; later versions use the same VCL
# 4.1): caches what is the same for everyone, passes everything specific to a
# device, and keeps serving while the origin is down.
#
#   varnishd -f /etc/varnish/bgremover.vcl -a :80 -s default,256m \
#            -s Transient=malloc,512m -p http_gzip_support=off
#
# Set BGREMOVER_TRUSTED_PROXIES to the address of this machine, so that limits
# apply per visitor. Transient holds answers to uploads while they pass; they are
# not cached. BGRemover compresses better than Varnish would: with
# http_gzip_support off, its brotli and zstd variants are cached as well. With TLS,
# have the terminator speak the PROXY protocol (-a :80,PROXY), so that client.ip is
# the visitor's.
vcl 4.1;

import std;
import xkey;

backend origin {
    .host = "127.0.0.1";
    .port = "8080";
    # A cut-out may take as long as BGREMOVER_TIMEOUT.
    .first_byte_timeout = 120s;
    .between_bytes_timeout = 30s;
    .probe = {
        .url = "/healthz";
        .interval = 2s;
        .timeout = 1s;
        .window = 3;
        .threshold = 2;
        .initial = 2;
    }
}

# Who may purge: the machine that runs `bgremover edge purge`.
acl purgers {
    "127.0.0.1";
    "::1";
}

sub vcl_recv {
    # Only the peer's address can be trusted: forged headers must not affect the
    # limits.
    set req.http.X-Forwarded-For = client.ip;
    unset req.http.X-Forwarded-Host;
    unset req.http.Forwarded;
    unset req.http.Proxy;
    if (req.restarts == 0) {
        unset req.http.X-Any-Age;
    }

    if (req.method == "PURGE") {
        if (client.ip !~ purgers) {
            return (synth(403, "Forbidden"));
        }
        if (!req.http.xkey-purge) {
            return (synth(400, "Name the tag in the header xkey-purge"));
        }
        # Soft: purged pages can still be served while the origin is down.
        set req.http.purged = xkey.softpurge(req.http.xkey-purge);
        return (synth(200, "Purged " + req.http.purged));
    }

    if (req.method != "GET" && req.method != "HEAD") {
        return (pass);
    }
    # Encoded or not: nothing below /device, /api or /v1.0 is ever looked up, however
    # its path is written, but for the API's description.
    if ((req.url ~ "(?i)^/+(device|api|v1|%64evice|%61pi|%76)" && req.url !~ "^/api(/v1/openapi\.json)?(\?|$)") || req.url ~ "(?i)(%2f|%5c|;|\\|//)") {
        return (pass);
    }
    # No page or asset depends on these; without them, one object serves everyone.
    unset req.http.Cookie;
    unset req.http.Authorization;
    set req.url = regsub(req.url, "\?.*$", "");
    call one_encoding;

    # While the origin is healthy, stale objects are served for at most a minute
    # (and refreshed in the background); otherwise for as long as they are kept.
    if (std.healthy(req.backend_hint) && !req.http.X-Any-Age) {
        set req.grace = 60s;
    } else {
        set req.grace = 365d;
    }
    return (hash);
}

# Not by host: no page depends on it, and made-up hosts must not create objects.
sub vcl_hash {
    hash_data(req.url);
    return (lookup);
}

# Browsers list encodings in many ways; four objects per page are enough.
sub one_encoding {
    if (req.http.Accept-Encoding ~ "(?i)(^|,)\s*br\s*(,|$)") {
        set req.http.Accept-Encoding = "br";
    } elsif (req.http.Accept-Encoding ~ "(?i)(^|,)\s*zstd\s*(,|$)") {
        set req.http.Accept-Encoding = "zstd";
    } elsif (req.http.Accept-Encoding ~ "(?i)(^|,)\s*gzip\s*(,|$)") {
        set req.http.Accept-Encoding = "gzip";
    } else {
        unset req.http.Accept-Encoding;
    }
}

sub vcl_backend_response {
    # In Varnish's built-in rules Surrogate-Control would override `private`.
    unset beresp.http.Surrogate-Control;

    # An error from the origin must not replace a good page. Delivering it, even
    # uncached, would; vcl_backend_error does not.
    if (beresp.status >= 500 && !bereq.uncacheable) {
        if (bereq.is_bgfetch) {
            return (abandon);
        }
        return (error(503));
    }
    if (beresp.http.Cache-Control ~ "(?i)(private|no-store|no-cache)" || beresp.http.Set-Cookie) {
        set beresp.uncacheable = true;
        set beresp.ttl = 30s;
        return (deliver);
    }
    if (!beresp.http.Cache-Control) {
        # Without Cache-Control it is not meant to be cached.
        set beresp.uncacheable = true;
        set beresp.ttl = 0s;
        return (deliver);
    }
    if (beresp.status == 200) {
        # Varnish does not support stale-if-error itself.
        set beresp.grace = std.duration(regsub(beresp.http.Cache-Control, "^.*stale-if-error=([0-9]+).*$", "\1s"), 7d);
    }
}

sub vcl_backend_error {
    if (bereq.is_bgfetch) {
        return (abandon);
    }
    set beresp.http.Cache-Control = "private, no-store";
    set beresp.http.Retry-After = "10";
    if (bereq.url ~ "^/api/") {
        set beresp.http.Content-Type = "application/problem+json";
        synthetic({"{"type":"about:blank","title":"The server cannot be reached","status":503,"detail":"The service is being restarted. Your photo was not kept; try again in ten seconds.","code":"backend_unavailable","retry_after":10}"});
        return (deliver);
    }
    set beresp.http.Content-Type = "text/html; charset=utf-8";
    synthetic({"<!doctype html><html lang="en"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Back in a moment</title><h1>Back in a moment</h1><p>The service is being restarted. Your photo was not kept; please try again in ten seconds."});
    return (deliver);
}

sub vcl_deliver {
    # The origin has just failed and the probe does not know yet: look up again,
    # allowing objects older than a minute.
    if (resp.status >= 500 && req.restarts == 0 && req.grace >= 0s && req.grace <= 60s) {
        set req.http.X-Any-Age = "yes";
        return (restart);
    }
    # Tags are for caches, not for visitors.
    unset resp.http.xkey;
    unset resp.http.X-Varnish;
    unset resp.http.Via;
    if (obj.hits > 0) {
        set resp.http.X-Cache = "HIT";
    } else {
        set resp.http.X-Cache = "MISS";
    }
}
