"""Languages of sentences by lingua, which knows 75: JSON lines of texts on standard input, a line of labels out.

The setting {"languages": ["de", "en"]} lets it choose among these alone; without it, among all that it knows.
"""

import json
import sys

from lingua import IsoCode639_1, LanguageDetectorBuilder

languages = json.loads(sys.argv[1])["languages"]
builder = (
    LanguageDetectorBuilder.from_iso_codes_639_1(*(getattr(IsoCode639_1, code.upper()) for code in languages))
    if languages
    else LanguageDetectorBuilder.from_all_languages()
)
detector = builder.build()
for line in sys.stdin:
    found = detector.detect_languages_in_parallel_of(json.loads(line))
    print(json.dumps([language.iso_code_639_1.name.lower() if language else None for language in found]), flush=True)
