import sys

from pile import Pile


def main():
    pile = Pile()
    for line in sys.stdin.read().splitlines()[1:]:
        match line.split():
            case ["put", name]:
                pile.put(name)
            case ["take"]:
                print(pile.take() or "-")
            case ["turn"]:
                pile.turn()


main()
