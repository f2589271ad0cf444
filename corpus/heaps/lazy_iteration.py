"""Everything of `itertools`, part of the way through."""

import itertools

source = [[n] for n in range(10)]
chain = itertools.chain(source, [[99]])
count = itertools.count(10**20, 3)
cycle = itertools.cycle(source)
compress = itertools.compress(source, [1, 0, 1])
drop = itertools.dropwhile(lambda x: False, source)
take = itertools.takewhile(lambda x: True, source)
rest = itertools.filterfalse(lambda x: False, source)
group = itertools.groupby(source, key=lambda x: x[0] // 2)
cut = itertools.islice(source, 5)
star = itertools.starmap(lambda x: x, [([1],)])
left, right = itertools.tee(iter(source))
longest = itertools.zip_longest(source, [1], fillvalue=["fill"])
repeat = itertools.repeat([7])
total = itertools.accumulate(source, lambda a, b: a + b)
pairs = itertools.pairwise(source)
combinations = itertools.combinations(source, 3)
replaced = itertools.combinations_with_replacement(source, 2)
permutations = itertools.permutations(source, 2)
product = itertools.product(source, source)
for iterator in (chain, count, cycle, compress, drop, take, rest, cut, left, left, longest, repeat, total, pairs,
                 combinations, replaced, permutations, product):
    next(iterator)
key, grouper = next(group)
reverse = reversed(source)
callable_iterator = iter(lambda: [1], None)
zipped = zip(source, source)
next(zipped)
