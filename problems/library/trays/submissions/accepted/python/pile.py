from collections import deque


class Pile:
    """Instead of moving every tray, a turn only exchanges what is called the top."""

    def __init__(self):
        self.trays = deque()
        self.turned = False

    def put(self, name):
        if self.turned:
            self.trays.appendleft(name)
        else:
            self.trays.append(name)

    def take(self):
        if not self.trays:
            return None
        return self.trays.popleft() if self.turned else self.trays.pop()

    def turn(self):
        self.turned = not self.turned
