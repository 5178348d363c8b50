"""Ctrl-C in the middle of molecular dynamics and training: KeyboardInterrupt, the state saved, the host alive."""
import os
import pathlib
import signal
import tempfile
import threading
import time
import unittest

import solion
from common import BUCKINGHAM, tiny_training


def interrupt_once(ready, times=1):
    """A thread that sends SIGINT `times` times, a millisecond apart, as soon as ready() holds; it gives up after 60 s."""
    def act():
        end = time.monotonic() + 60
        while not ready() and time.monotonic() < end:
            time.sleep(0.01)
        for _ in range(times):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.001)

    thread = threading.Thread(target=act)
    thread.start()
    return thread


class Interrupts(unittest.TestCase):
    SETTINGS = {"ensemble": "nve", "timestep_fs": 2.0, "steps": 20_000_000, "temperature_K": 300, "restart": "a.restart",
                "log": "a.log"}

    def setUp(self):
        self.frame = solion.crystal("li3ocl").repeat((2, 2, 2))
        self.potential = solion.Potential(BUCKINGHAM)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def lines(self, name):
        """How many whole lines the log `name` has by now."""
        path = self.folder / name
        return path.read_bytes().count(b"\n") if path.exists() else 0

    def interrupted_md(self, **options):
        begin = time.monotonic()
        with self.assertRaises(KeyboardInterrupt):
            solion.md(self.SETTINGS, self.frame, self.potential, folder=self.folder, **options)
        self.assertLess(time.monotonic() - begin, 20)
        time.sleep(0.05)  # a second KeyboardInterrupt would come here
        # The restart file is whole and of the step that was reached: the run goes on from it.
        last = int((self.folder / "a.log").read_text().splitlines()[-1].split()[0])
        self.assertGreater(last, 0)
        again = solion.md(dict(self.SETTINGS, steps=last + 40), self.frame, self.potential, folder=self.folder)
        self.assertGreaterEqual(again.summary["first_step"], last)
        self.assertEqual(again.summary["steps"], last + 40)

    def test_md(self):
        interrupt_once(lambda: self.lines("a.log") > 4)
        self.interrupted_md()

    def test_md_inside_a_callback(self):
        armed = [True]

        def interrupt(snapshot):
            if snapshot.step > 50 and armed:
                armed.clear()
                signal.raise_signal(signal.SIGINT)  # Python raises it inside this callback
                time.sleep(0.1)

        self.interrupted_md(callback=interrupt, callback_every=10)

    def test_twice_does_not_end_the_host(self):
        seen = []  # with Python's own handler, one that comes late would raise wherever the test stands by then
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, lambda *_: seen.append(1)))
        sender = interrupt_once(lambda: self.lines("a.log") > 4, times=3)
        with self.assertRaises(KeyboardInterrupt):
            solion.md(self.SETTINGS, self.frame, self.potential, folder=self.folder)
        sender.join()
        time.sleep(0.01)
        self.assertGreater(len(seen), 0)
        self.assertTrue((self.folder / "a.restart").exists())

    def test_training(self):
        keys = tiny_training(1_000_000)
        interrupt_once(lambda: self.lines("lcurve.out") > 1)
        with self.assertRaises(KeyboardInterrupt):
            solion.train(keys, folder=self.folder)
        solion.Potential(self.folder / "model.dp").evaluate(self.frame)
        steps = []
        interrupt_once(lambda: len(steps) > 3)
        with self.assertRaises(KeyboardInterrupt):
            solion.train(keys, folder=self.folder, callback=steps.append, callback_every=1)
        self.assertGreater(steps[0], 1)  # it went on from the checkpoint

    def test_the_hosts_handler_is_back_afterwards(self):
        before = signal.getsignal(signal.SIGINT)
        solion.md({k: v for k, v in dict(self.SETTINGS, steps=5).items() if k not in ("restart", "log")}, self.frame,
                  self.potential)
        self.assertIs(signal.getsignal(signal.SIGINT), before)
        with self.assertRaises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
            time.sleep(0.1)

    def test_other_threads_run_without_it(self):
        done = []
        worker = threading.Thread(target=lambda: done.append(
            solion.md({"ensemble": "nve", "timestep_fs": 1.0, "steps": 20, "temperature_K": 300}, self.frame,
                      self.potential).summary["steps"]))
        worker.start()
        worker.join()
        self.assertEqual(done, [20])


if __name__ == "__main__":
    unittest.main()
