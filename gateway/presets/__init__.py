"""Configurations for platforms that many people run, kept as data: what ``tidegate init`` writes, and docs/platforms.md
is made of. One file a platform in ``platforms/``; its name is the preset's.

How a preset is laid out
    It is one TOML file in two parts, parted by the line ``MARK`` (``preset.py``). Above it, ``[preset]`` says what the
    platform is; below it stands the configuration itself, which is written out as it is, comments included.

        [preset]
        title = "Isso"                       as its people write it
        home = "https://isso-comments.de"
        versions = "0.13"                    which the addresses and shapes were read from
        address = "http://127.0.0.1:8080"    where it listens when nobody said otherwise
        unmatched = "relay"                  server.unmatched: "relay", "read" (other writing is refused), "refuse"
        asks = ["site"]                      what else init has to know: "site", whose pages show it (SITE below);
                                             "front", who vouches for senders: there is no preset without it where a
                                             sender is read from a header, cookie, query or body
        tried = true                         against the published package, by a module of tests/platforms which
                                             says so (PRESET = "isso"); false: written from its sources and pages
        answers_within = "2m"                upstreams.platform.answer_timeout, where clients wait longer for news
        [preset.en]                          and the same keys in [preset.zh]
        about = "…"                          one sentence
        judged = ["…"]                       what is judged
        unjudged = ["…"]                     what is written and judged by nobody, and what is not read of a message
        refused = "…"                        what the refused person sees
        cannot = ["…"]                       what cannot work yet; may be empty
        todo = ["…"]                         what is left to do by hand; may be empty

        # == configuration ==
        [[routes]]
        …

    Below the mark: ``[[routes]]``, and ``[mirror]`` where bullets need one. Everything else (``[server]``,
    ``[control]``, ``[upstreams]``, ``[lists]``, ``[policies]``, ``[sentences]``) is written by ``composing.py`` from
    the answers. So: the upstream is always ``platform``; the policy one of ``composing.POLICIES`` (``messages``,
    ``live``, ``names``);
    ``https://site.example`` stands for the site that shows it; methods and paths as they are where the platform lies at
    the root of its host, for ``--under`` writes a folder before each of them.

From Python: ``composing.composed(preset.load("isso"), Answers(address=…, listen=…))`` is the text of the file.

What holds them: ``tests/gateway/presets`` checks each as ``config check`` does, and ``tests/golden/presets`` lists the
warnings of each and what is written unjudged. After a change: ``make reference``, which writes these and
docs/platforms.md anew, and a look at the difference.
"""
