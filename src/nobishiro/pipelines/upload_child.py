"""What the child process does that reads an uploaded file: `python -m nobishiro.pipelines.upload_child`.

A file somebody uploaded may be made to loop, to panic the parser or to ask for all the memory there is. Here that ends
this process only. The order comes as JSON on standard input; the rows go into the folder it names, what was read about
them to standard output. Nothing heavy is imported before the limits hold.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path

REFUSED = 3
"""Exit code when the file is refused with a reason, which is on standard output."""
OUT_OF_MEMORY = 4


def main() -> int:
    """Read one file under limits; 0 when its rows lie in the folder."""
    order = json.load(sys.stdin)
    memory, seconds = int(order["memory"]), int(order["seconds"])
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_FSIZE, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        from nobishiro.contracts.errors import NobishiroError
        from nobishiro.pipelines.upload_reading import Order, read_into

        try:
            read_into(
                Order(
                    path=Path(order["path"]),
                    folder=Path(order["folder"]),
                    name=order["name"],
                    options=order["options"],
                    max_rows=order["max_rows"],
                    max_columns=order["max_columns"],
                    max_cell_bytes=order["max_cell_bytes"],
                    max_bytes=order["max_bytes"],
                    memory=memory,
                    seconds=seconds,
                )
            )
        except NobishiroError as error:
            json.dump({"error": type(error).__name__, "message": str(error)}, sys.stdout)
            return REFUSED
    except MemoryError:
        return OUT_OF_MEMORY
    return 0


if __name__ == "__main__":
    sys.exit(main())
