from __future__ import annotations

import logging
import multiprocessing
import os
import platform
import tempfile
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

from fixtures.draw_samples import newest_model
from tests.benchmarks import pen, reading, site
from tests.benchmarks.result import Result

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"

logger = logging.getLogger("benchmarks")


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    os.chdir(ROOT)
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    with tempfile.TemporaryDirectory(prefix="digits-bench-") as name:
        work = Path(name)
        _use_a_site_of_its_own(work)
        results = [
            *_alone(site.start_up),
            *_alone(reading.one_picture),
            *_alone(reading.keras_predict),
            *_alone(reading.photographs),
            *_alone(site.requests),
            *_alone(pen.lifted),
            *_alone(reading.folder, work),
            *_alone(site.admin_list),
        ]
    PAGE.write_text(_page(results, load), encoding="utf-8")
    logger.info("Written to %s", PAGE.relative_to(ROOT))


def _alone(measure: Callable[..., list[Result]], *arguments: object) -> list[Result]:
    """Measure in a fresh process, so that no figure pays for what another one loaded."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        results = pool.submit(measure, *arguments).result()
    for result in results:
        logger.info("%s: %s", result.what, result.measured)
    return results


def _use_a_site_of_its_own(work: Path) -> None:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "digitsite.settings",
        "ENV_FILE": os.devnull,
        "DEBUG": "0",
        "SECRET_KEY": "only-for-benchmarks-" + 50 * "x",
        "HTTPS_ONLY": "0",
        "LOG_LEVEL": "ERROR",
        "DATABASE_URL": f"sqlite:///{work / 'db.sqlite3'}",
        "PICTURE_ROOT": str(work / "pictures"),
        "MODEL_ROOT": str(work / "models"),
        "STATIC_ROOT": str(work / "static"),
        "CACHE_ROOT": str(work / "cache"),
    }
    # Production serves files by their hashed names; so does this.
    site.collect_static()


def _page(results: list[Result], load: float) -> str:
    rows = [f"| {r.what} | {r.measured} | {r.figure} | {r.how} |" for r in results]
    return "\n".join(
        [
            "# Benchmarks",
            "",
            "Written by `make bench` (`python -m tests.benchmarks`), all figures in one run.",
            "",
            f"- Date: {datetime.now(UTC):%Y-%m-%d}",
            f"- Machine: {_processor()}, {os.cpu_count()} cores, {platform.system()}, "
            f"Python {platform.python_version()}",
            f"- Other work on the machine when it began (load average): {load:.1f}",
            f"- Model: {newest_model().name}",
            "",
            "| What | Measured | Asked for | How |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


if __name__ == "__main__":
    main()
