"""Which attributes a class's code sets: compared with its source, and with what the compiler says."""

import ast
import copy
import importlib
import inspect
import re
import sys
from copy import deepcopy

import deadweight as dw
import pytest
from deadweight._slots_code import use_of
from deadweight._slots_members import methods

# Much code of many styles, the same on every version or nearly.
MODULES = [
    "argparse",
    "optparse",
    "asyncio.base_events",
    "configparser",
    "csv",
    "difflib",
    "email.message",
    "fractions",
]
MODULES += ["http.client", "inspect", "logging", "pickle", "shlex", "ssl", "tarfile", "textwrap", "threading"]
MODULES += ["unittest.case", "unittest.mock", "urllib.request", "xml.dom.minidom", "zipfile"]


class OfSelf(ast.NodeVisitor):
    """Attributes that are assigned on a variable, in a function and those inside it that do not hide it."""

    def __init__(self, variable):
        self.variable = variable
        self.names = set()

    def visit_Attribute(self, node):
        of_variable = isinstance(node.value, ast.Name) and node.value.id == self.variable
        if isinstance(node.ctx, ast.Store) and of_variable and node.attr not in ("__dict__", "__class__"):
            self.names.add(node.attr)
        self.generic_visit(node)

    def visit_AnnAssign(self, node):
        # An annotation alone assigns nothing.
        if node.value is not None:
            self.generic_visit(node)

    def visit_FunctionDef(self, node):
        arguments = node.args
        parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        if self.variable not in [parameter.arg for parameter in parameters]:
            self.generic_visit(node)

    visit_Lambda = visit_AsyncFunctionDef = visit_FunctionDef


def by_source(function):
    """The names in a function's source, as its bytecode has them."""
    parameters = [*function.args.posonlyargs, *function.args.args]
    if not parameters:
        return set()
    finder = OfSelf(parameters[0].arg)
    for statement in function.body:
        finder.visit(statement)
    return finder.names


def functions(module):
    """Methods that stand in the body of a class of the module, each with its source."""
    tree = ast.parse(inspect.getsource(module))
    for body in [node for node in tree.body if isinstance(node, ast.ClassDef)]:
        kind = vars(module).get(body.name)
        if not isinstance(kind, type) or kind.__module__ != module.__name__:
            continue
        for source in body.body:
            if isinstance(source, (ast.FunctionDef, ast.AsyncFunctionDef)):
                function = vars(kind).get(source.name)
                if inspect.isfunction(function) and function.__code__.co_firstlineno == source.lineno:
                    yield kind, function, source


@pytest.mark.parametrize("name", MODULES)
def test_the_names_are_those_of_the_source(name):
    tried = 0
    for kind, function, source in functions(importlib.import_module(name)):
        code = function.__code__
        instance = code.co_varnames[0] if code.co_argcount else None
        # `setattr` and instances in other variables are more than assignments: they have tests of their own.
        calls = {"setattr", "__setattr__", "__new__", "__dict__", "copy", "deepcopy"}
        texts = {node.id for node in ast.walk(source) if isinstance(node, ast.Name)}
        texts |= {node.attr for node in ast.walk(source) if isinstance(node, ast.Attribute)}
        if code.co_argcount and not texts & calls:
            private = {mangled(kind, found) for found in by_source(source)}
            assert set(use_of(code, instance).names) == private, function.__qualname__
            tried += 1
    assert tried > 3


def mangled(kind, name):
    return f"_{kind.__name__.lstrip('_')}{name}" if name.startswith("__") and not name.endswith("__") else name


@pytest.mark.skipif(sys.version_info < (3, 13), reason="the compiler says it from 3.13 on")
@pytest.mark.parametrize("name", MODULES)
def test_what_the_compiler_saw_is_found(name):
    module = importlib.import_module(name)
    for kind in vars(module).values():
        if isinstance(kind, type) and kind.__module__ == name and "__static_attributes__" in vars(kind):
            found = {attribute for method in methods(kind) for attribute in method.use.names}
            seen = {mangled(kind, attribute) for attribute in kind.__static_attributes__}
            # The compiler takes any variable named self for one, in static methods and class methods too.
            assert seen - found - {"__dict__", "__class__"} - in_static_methods(kind) == set(), kind


def in_static_methods(kind):
    members = [member for member in vars(kind).values() if isinstance(member, (staticmethod, classmethod))]
    codes = [getattr(member.__func__, "__code__", None) for member in members]
    return {name for code in codes if code for name in code.co_names}


class Holder:
    """Every way to set an attribute: names that begin with an `a` are to be found, those with `no` are not."""

    def __init__(self, other):
        self.a_plain = other.no_load
        self.a_one = self.a_two = 1
        self.a_three, (self.a_four, *self.a_five) = 1, (2, 3)
        self.a_annotated: int = 1
        self.no_annotated: int
        self.a_item = {}
        self.a_item["x"] = 1
        self.no_chain.no_end = 1
        other.no_other = 1
        other.no_augmented += 1
        if other:
            self.a_twice = 1
        else:
            self.a_twice = 2
        del self.no_deleted

    def grows(self, other):
        self.a_augmented += 1
        self.no_chain.no_end += 1
        other.no_x, self.a_x = self.no_y, other.no_z
        self.a_y = self.a_z = other

    def loops(self, things):
        for self.a_index in things:
            pass
        with things as self.a_file:
            pass
        return [thing for self.a_comprehended in things for thing in things]

    def inner(self, things):
        def function():
            self.a_inner = 1

            def deeper():
                self.a_deeper = 1

            return deeper

        class Inside:
            self.a_body = 1

            def method(self):
                self.no_inside = 1

        def hides(self):
            self.no_hidden = 1

        return function, Inside, hides, lambda: setattr(self, "a_lambda", 1)

    def calls(self, other):
        setattr(self, "a_setattr", 1)  # noqa: B010
        setattr(other, "no_setattr", 1)  # noqa: B010
        object.__setattr__(self, "a_object", 1)
        super().__setattr__("a_super", 1)
        super(Holder, self).__setattr__("a_old_super", 1)  # noqa: UP008
        self.__setattr__("a_own", 1)
        object.__setattr__(other, "no_object", 1)
        put = object.__setattr__
        put(self, "a_put", 1)
        put(other, "no_put", 1)

    def __new__(cls, *arguments):
        made = super().__new__(cls)
        made.a_new = 1
        other = arguments[0]
        other.no_new = 1
        return made

    @classmethod
    def made(cls, row):
        thing = cls(row)
        thing.a_class_method = 1
        blank = cls.__new__(cls)
        blank.a_blank = 1
        other = cls.find(row)
        other.no_found = 1
        cls.no_class = 1
        return thing, blank

    @staticmethod
    def static(self):
        self.no_static = 1

    def stars(*arguments):
        self, *rest = arguments
        self.a_star = rest

    def first(*arguments):
        self = arguments[0]
        self.a_first = 1

    def unpacked(*arguments, **options):
        self, arguments = arguments[0], arguments[1:]
        self.a_unpacked = options

    def _private(self):
        self.__private = 1

    value = property(lambda self: self.no_value, lambda self, value: setattr(self, "a_property", value))


def test_every_way_to_set_an_attribute_is_found():
    found = {name for method in methods(Holder) for name in method.use.names}
    expected = set(re.findall(r"\ba_\w+", inspect.getsource(Holder)))
    assert found == expected | {"_Holder__private"}


@pytest.mark.parametrize(
    "source",
    [
        "setattr(self, name, 1)",
        "object.__setattr__(self, name, 1)",
        "super().__setattr__(name, 1)",
        "self.__setattr__(name, 1)",
        "(lambda: setattr(self, name, 1))()",
        "[setattr(self, key, 1) for key in name]",
    ],
)
def test_names_made_at_run_time_are_asked_for(source):
    namespace = {}
    exec(f"class Some:\n    def __init__(self, name):\n        {source}\n", namespace)
    with pytest.raises(dw.CannotSlot, match="names that are made at run time; say which"):
        dw.slots(namespace["Some"])
    assert dw.slots(extra=("said",))(namespace["Some"]).__slots__ == ("said",)
    assert dw.slots(extra=())(namespace["Some"]).__slots__ == ()


@pytest.mark.parametrize(
    "source",
    [
        "self.__dict__['x'] = 1",
        "vars(self).update(x=1)",
        "self.__dict__ = {}",
        "return self.__dict__ == other.__dict__",
        "return [self.__dict__ for _ in other]",
        "return lambda: vars(self)",
        "functools.update_wrapper(self, other)",
    ],
)
def test_the_dict_of_the_instance_is_missed(source):
    namespace = {}
    exec(f"class Some:\n    def method(self, other):\n        {source}\n", namespace)
    with pytest.raises(dw.CannotSlot, match=r"Some.method: it uses the instance's __dict__"):
        dw.slots(namespace["Some"])


def test_an_attribute_named_as_a_function_of_weakref_is_no_weak_reference():
    @dw.slots
    class Branch:
        def __init__(self, ref):
            self.ref = ref

        def same(self, other):
            return other.ref == self.ref, (self.ref, self)

    branch = Branch("main")
    assert branch.same(branch) == (True, ("main", branch))


def test_a_setattr_that_passes_names_on_asks_nothing():
    @dw.slots
    class Checked:
        def __init__(self):
            self.x = 1

        def __setattr__(self, name, value):
            super().__setattr__(name, value + 1)

    assert Checked.__slots__ == ("x",)
    assert Checked().x == 2


class Node:
    """Ways to come by another instance, or by the same in another variable: as in `Holder`."""

    def __init__(self, value=None):
        self.a_value = value

    def of_type(self):
        new = type(self)(1)
        new.a_type = 1
        other = type(self).found(1)
        other.no_type = 1

    def of_class(self):
        new = self.__class__(1)
        new.a_class = 1
        kind = type(self)
        more = kind(new)
        more.a_kind = 1
        kind.no_kind = 1

    def of_name(self):
        new = Node(1)
        new.a_name = 1
        other = Holder(1)
        other.no_name = 1

        def inner():
            deeper = Node()
            deeper.a_inner = 1

        return inner

    def of_copy(self, memo):
        shallow = copy.copy(self)
        shallow.a_copy = 1
        deep = deepcopy(self, memo)
        deep.a_deep = 1
        other = copy.copy(self.a_value)
        other.no_copy = 1
        item = copy.copy(self[0])
        item.no_item = 1

    def of_itself(self, other):
        me = self
        me.a_me = 1
        (_walrus := self).a_walrus = 1
        (thing := other).no_walrus = 1
        if (again := copy.copy(self)) is not None:
            again.a_again = thing
        same = me
        same.a_same = 1
        value = self.a_value
        value.no_value = 1

    def of_several(self, other):
        one, _two = self, other
        one.a_one = 1
        _before, after = None, self
        _before, then = 1, self
        after.a_after = 1
        then.a_then = 1
        first, _second, _third = self, other, None
        first.a_first = 1
        value, _item = self.a_value, other
        value.no_attribute = 1
        both = self, other
        both.no_tuple = 1

    def of_one_or_other(self, other):
        chosen = self if other.flag else other
        chosen.a_chosen = 1
        given = self or other
        given.a_given = 1
        last = also = self and other
        last.a_last = also.a_also = 1
        later = other
        later.no_later = 1
        part = (self or other).part
        part.no_part = 1
        made = other(self or other)
        made.no_made = 1
        named = other if self else other.named
        named.no_named = 1

    def of_cell(self):
        new = __class__()
        new.a_cell = 1
        other = __class__.found()
        other.no_found = 1

    @classmethod
    def single(cls):
        if cls._single is None:
            cls._single = made = cls()
            made.a_made = 1
        cls._single.a_single = 1
        cls._other = 1
        cls._other.no_other = 1

    def __new__(cls, *arguments):
        cls._new = super().__new__(cls)
        cls._new.a_new = 1
        return cls._new


def test_instances_in_other_variables_are_seen():
    found = {name for method in methods(Node) for name in method.use.names}
    text = inspect.getsource(Node)
    assert found == set(re.findall(r"\.(a_\w+) = ", text))
    assert len(re.findall(r"\.(no_\w+) = ", text)) > 5
