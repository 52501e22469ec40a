#include <bits/stdc++.h>
using namespace std;
int main() {
    string 이름 = "홍길동"; int x = 가나;
    cout << "안녕" << endl
    int unused;
	vector<int> v; v.push_bak(3);
    return 0;
}
