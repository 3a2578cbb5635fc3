"""What the scripts of this folder share: one line per call that a library has.

A script names the classes whose public methods are the library's knowledge
calls. Every method is tried, or it is a failure; what is not a call about
knowledge is named with its reason, and plumbing is how a library sends.
"""

import functools
import os
import sys
import time
import traceback
import warnings

warnings.simplefilter("ignore")


def setting(name):
    """A variable of the sandbox, as .ci/sdks/run gives it."""
    value = os.environ.get(name)
    if not value:
        sys.exit(f"{name} is not set: start the checks with .ci/sdks/run")
    return value


class Calls:
    """The calls of one library."""

    def __init__(self, library, version, *classes, left=None, plumbing=()):
        self.library, self.version = library, version
        self.left = left or {}  # method: why it is not tried
        self.methods = {}  # method: whether it was called
        self.results = {}  # name of a call: why it failed, "" when it worked
        for cls in classes:
            for name, method in list(vars(cls).items()):
                if name.startswith("_") or not callable(method) or isinstance(method, (type, staticmethod, classmethod)):
                    continue
                label = f"{cls.__name__}.{name}"
                if label not in self.left and name not in plumbing:
                    self.methods[label] = False
                    setattr(cls, name, self._noted(label, method))

    def _noted(self, label, method):
        @functools.wraps(method)
        def noted(*args, **kwargs):
            self.methods[label] = True
            return method(*args, **kwargs)

        return noted

    def tries(self, name, call, check=None):
        """Makes a call; check sees its result. None when it failed."""
        try:
            result = call()
            if check is not None and not check(result):
                raise AssertionError(f"the answer is {show(result)}")
        except Exception as error:
            self.results[name] = f"{type(error).__name__}: {error}"
            if os.environ.get("SDKS_TRACE"):
                traceback.print_exc()
            return None
        self.results[name] = ""
        return result

    def refused(self, name, call, *kinds):
        """Makes a call that must fail, with one of the library's own errors."""

        def caught():
            try:
                result = call()
            except kinds as error:
                return error
            raise AssertionError(f"no error, but {show(result)}")

        return self.tries(name, caught)

    def ends(self):
        """Prints one line per call and the library's row of the table."""
        for method, called in self.methods.items():
            if not called:
                self.results[f"{method} (never called)"] = "the script does not try it"
        for name, why in self.results.items():
            print(f"FAIL {self.library}: {name}: {' '.join(why.split())[:400]}" if why else f"ok {self.library}: {name}")
        working = sum(not why for why in self.results.values())
        print(f"row | {self.library} {self.version} | {len(self.results)} | {working} | {len(self.left)}")
        sys.exit(working < len(self.results))


def show(value):
    return repr(getattr(value, "__dict__", value))[:300]


def until(look, seconds=20):
    """Looks until the result is true; the sandbox's documents move with time."""
    end = time.time() + seconds
    while True:
        found = look()
        if found or time.time() > end:
            return found
        time.sleep(0.1)
