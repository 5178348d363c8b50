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


def after(seconds, act):
    timer = threading.Timer(seconds, act)
    timer.start()
    return timer


class Interrupts(unittest.TestCase):
    SETTINGS = {"ensemble": "nve", "timestep_fs": 2.0, "steps": 20_000_000, "temperature_K": 300, "restart": "a.restart",
                "log": "a.log"}

    def setUp(self):
        self.frame = solion.crystal("li3ocl").repeat((2, 2, 2))
        self.potential = solion.Potential(BUCKINGHAM)
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

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
        after(0.7, lambda: os.kill(os.getpid(), signal.SIGINT))
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
        for delay in (0.5, 0.501, 0.502):
            after(delay, lambda: os.kill(os.getpid(), signal.SIGINT))
        with self.assertRaises(KeyboardInterrupt):
            try:
                solion.md(self.SETTINGS, self.frame, self.potential, folder=self.folder)
            finally:
                try:
                    time.sleep(0.5)
                except KeyboardInterrupt:
                    pass  # one that came after the run had ended belongs to the host
        self.assertTrue((self.folder / "a.restart").exists())

    def test_training(self):
        keys = tiny_training(1_000_000)
        after(1.0, lambda: os.kill(os.getpid(), signal.SIGINT))
        with self.assertRaises(KeyboardInterrupt):
            solion.train(keys, folder=self.folder)
        solion.Potential(self.folder / "model.dp").evaluate(self.frame)
        steps = []
        after(0.7, lambda: os.kill(os.getpid(), signal.SIGINT))
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
