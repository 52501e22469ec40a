#include <bits/stdc++.h>
struct 점 { int x; };
int main() { std::list<int> 목록;  std::sort(목록.begin(), 목록.end()); }
