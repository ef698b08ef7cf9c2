"""Threads, processes and forked children that compile, load and run the same kernels."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
WORK = """
import os, signal, sys, threading, time
from fractions import Fraction
import numpy as np
from fxp.run import backend as run
from fxp.run import execute
from fxp.arrays.array import FixedArray
from fxp.format import Fixed
from lnsarith.catalogue.array import LnsArray
from lnsarith.lns.format import Lns

def work(bits, backend=None):
    # With a format of so many bits: maps and products, whose words are known.
    if backend:
        run.set_backend(backend)
    x = FixedArray([1, 5, -3], Fixed(bits, 0))
    assert (x * x).words.tolist() == [1, 25, 9], bits
    assert (x @ x).words == 35, bits
    y = LnsArray([8, 0, -5], Lns(bits, 3))
    assert (y * y).words.tolist() == [16, 0, -10 & (1 << bits - 1) - 1], bits

def together(jobs):
    # Run the jobs on threads that begin at the same moment; return what they raised.
    barrier, raised = threading.Barrier(len(jobs)), []
    def one(job):
        barrier.wait()
        try:
            job()
        except BaseException as error:
            raised.append(repr(error))
    threads = [threading.Thread(target=one, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    return threads, raised
"""


def begin(program, cache):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "LNSARITH_CACHE": str(cache)}
    code = WORK + textwrap.dedent(program)
    return subprocess.Popen([sys.executable, "-W", "ignore", "-c", code], text=True,
                            env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def finish(process):
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    return out


def entries(cache):
    return sorted(path.relative_to(cache) for path in cache.rglob("*") if path.is_file())


@pytest.mark.parametrize("backend", ["vector", "scalar"])
def test_eight_threads_may_be_the_first_to_use_a_format(backend, tmp_path):
    finish(begin(f"""
        run.set_backend("{backend}")
        threads, raised = together([lambda: work(9)] * 8)
        for thread in threads:
            thread.join()
        assert not raised, raised
    """, tmp_path))


def test_one_function_called_with_many_types_at_once_keeps_them_apart(tmp_path):
    program = """
        from fxp.compile.cache import compile_module
        module = compile_module("ends", "from fxp.compile.cache import njit\\n"
                                "@njit(cache=True)\\ndef run(x): return x[0] + x[-1]")
        def add(kind):
            answer = module.run(np.array([3, 4], kind))
            assert answer == 7 and np.asarray(answer).dtype.kind == np.dtype(kind).kind
        kinds = [np.int64, np.float64, np.float32, np.complex64] * 2
        threads, raised = together([lambda k=k: add(k) for k in kinds])
        for thread in threads:
            thread.join()
        assert not raised, raised
        print(sum(module.run.stats.cache_hits.values()))
    """
    for process in [begin(program, tmp_path) for _ in range(3)]:
        finish(process)
    assert len(entries(tmp_path)) == 4
    assert finish(begin(program, tmp_path)) == "4\n"


def test_processes_may_fill_the_same_cache(tmp_path):
    for process in [begin("work(9); work(10)", tmp_path) for _ in range(3)]:
        finish(process)
    kept = entries(tmp_path)
    assert len(kept) == 6 and not [p for p in kept if p.name.endswith(".part")]
    finish(begin("""
        from fxp.compile.machine import kept
        def write(*entry):
            raise AssertionError("compiled again")
        kept.write = write
        work(9); work(10)
    """, tmp_path))


def test_children_forked_while_threads_compile_can_compile(tmp_path):
    finish(begin("""
        execute.WORTH_A_THREAD = 1
        run.set_threads(2)
        threads, raised = together([lambda b=b: work(b) for b in (9, 10, 11, 12)])
        children = []
        for bits in (9, 13, 14):
            time.sleep(0.4)
            child = os.fork()
            if not child:
                signal.alarm(60)
                try:
                    work(bits)
                    x = FixedArray.zeros((8, 4), Fixed(bits, 0))
                    assert (x @ x.T).shape == (8, 8)
                    os._exit(0)
                finally:
                    os._exit(1)
            children.append(child)
        for thread in threads:
            thread.join()
        assert not raised, raised
        assert [os.waitpid(child, 0)[1] for child in children] == [0, 0, 0]
    """, tmp_path))


def test_a_property_is_computed_for_all_threads_and_held_by_no_lock(tmp_path):
    finish(begin("""
        from fxp.trace.circuit import trace
        held, go = threading.Event(), threading.Event()
        class Slow:
            from fxp.once import cached_property
            @cached_property
            def value(self):
                held.set()
                go.wait(60)
                return object()
        slow = Slow()
        found = []
        threads = [threading.Thread(target=lambda: found.append(slow.value)) for _ in range(2)]
        for thread in threads:
            thread.start()
        held.wait(60)
        child = os.fork()
        if not child:
            signal.alarm(20)
            go.set()
            os._exit(0 if slow.value is slow.value else 1)
        assert os.waitpid(child, 0)[1] == 0
        go.set()
        for thread in threads:
            thread.join()
        assert found[0] is found[1] is slow.value
    """, tmp_path))


def test_a_backend_chosen_for_a_block_is_that_of_its_thread(tmp_path):
    finish(begin("""
        inside, outside, left = threading.Event(), threading.Event(), threading.Event()
        def first():
            with run.backend("numpy"):
                inside.set()
                outside.wait(60)
            left.set()
        def second():
            inside.wait(60)
            assert run.current_backend() == "vector"
            with run.backend("scalar"):
                outside.set()
                left.wait(60)
                assert run.current_backend() == "scalar"
        threads, raised = together([first, second])
        for thread in threads:
            thread.join()
        assert not raised and run.current_backend() == "vector", raised
    """, tmp_path))
