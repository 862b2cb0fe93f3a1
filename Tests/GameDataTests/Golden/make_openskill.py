#!/usr/bin/env python3
"""Makes openskill.bin: what PyPI's openskill says of 10,000 games, for OpenSkillGoldenTests.swift.

    pip install openskill==6.2.0
    python3 Tests/GameDataTests/Golden/make_openskill.py

The file holds the answers alone: the test makes the same games from the same seed, by the same generator (SplitMix64)
in the same order of draws. Little-endian: magic "OSK1", games (u32), seed (u64), then per game, for each player by team
mu and sigma after it, and then for each team its chance to win: all as i32 in units of 1e-7.
"""
import pathlib
import struct

import openskill
from openskill.models import PlackettLuce

VERSION = "6.2.0"
SEED = 20_261_126
GAMES = 10_000
UNIT = 1e7
MASK = (1 << 64) - 1


class SplitMix64:
    def __init__(self, seed):
        self.state = seed

    def next(self):
        self.state = (self.state + 0x9E3779B97F4A7C15) & MASK
        mixed = self.state
        mixed = ((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        mixed = ((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB) & MASK
        return mixed ^ (mixed >> 31)

    def below(self, count):
        return self.next() % count

    def between(self, low, high):
        return low + (high - low) * ((self.next() >> 11) * 2.0**-53)


def game(index, random):
    """A game's sizes of teams, ratings and ranks. A quarter each: duels, 5v5, 3x4, free-for-all of 3 to 20."""
    kind = index % 4
    sizes = [[1] * 2, [5] * 2, [4] * 3, [1] * (3 + random.below(18) if kind == 3 else 0)][kind]
    # Every fifth game is among newcomers; the others are of players as different as can be.
    newcomers = index % 5 == 0
    teams = [
        [(25.0, 25.0 / 3) if newcomers else (random.between(-25, 75), random.between(0.1, 12)) for _ in range(size)]
        for size in sizes
    ]
    # Every third game has ranks that may tie; the others have an order of their own.
    if random.below(3) == 0:
        ranks = [1 + random.below(len(sizes)) for _ in sizes]
    else:
        ranks = list(range(1, len(sizes) + 1))
        for last in range(len(ranks) - 1, 0, -1):
            other = random.below(last + 1)
            ranks[last], ranks[other] = ranks[other], ranks[last]
    return teams, ranks


def main():
    assert openskill.__version__ == VERSION, f"want openskill {VERSION}, have {openskill.__version__}"
    model = PlackettLuce()
    random = SplitMix64(SEED)
    out = bytearray(b"OSK1" + struct.pack("<IQ", GAMES, SEED))
    for index in range(GAMES):
        ratings, ranks = game(index, random)
        teams = [[model.rating(mu=mu, sigma=sigma) for mu, sigma in team] for team in ratings]
        numbers = []
        for team in model.rate(teams, ranks=ranks):
            for player in team:
                numbers += [player.mu, player.sigma]
        numbers += model.predict_win(teams)
        out += struct.pack(f"<{len(numbers)}i", *(round(number * UNIT) for number in numbers))
    path = pathlib.Path(__file__).with_name("openskill.bin")
    path.write_bytes(out)
    print(f"{path.name}: {GAMES} games, {len(out)} bytes")


main()
