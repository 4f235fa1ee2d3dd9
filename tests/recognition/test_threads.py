"""Requests at the same time get their own answers, the same as one after another."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection

from ml.recognizer import Reading
from recognition import recognizers
from recognition.models import TrainedModel

THREADS = 8
Drawn = Callable[..., bytes]


def summary(reading: Reading) -> tuple[object, ...]:
    return reading.text, reading.confidence, [digit.probabilities for digit in reading.digits]


@pytest.mark.django_db(transaction=True)
def test_many_threads_get_the_answers_of_one(drawn: Drawn, digit_model: TrainedModel) -> None:
    pictures = [drawn(n % 10, seed=n) for n in range(40)]
    alone = [summary(recognizers.answer(data, "latin").reading) for data in pictures]
    together = threading.Barrier(THREADS)

    def read_all(first: int) -> list[tuple[object, ...]]:
        try:
            together.wait()
            order = [*range(first, len(pictures)), *range(first)]  # each another one at a time
            answers = {n: recognizers.answer(pictures[n], "latin").reading for n in order}
        finally:
            connection.close()
        return [summary(answers[n]) for n in range(len(pictures))]

    with ThreadPoolExecutor(THREADS) as pool:
        results = list(pool.map(read_all, range(THREADS)))

    assert len({text for text, *_ in alone}) == 10
    assert all(result == alone for result in results)
