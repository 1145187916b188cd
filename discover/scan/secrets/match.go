package secrets

import (
	"cmp"
	"slices"
)

// automaton finds many words in one pass over a text, in whatever case their
// ASCII letters are (A. Aho, M. Corasick: Efficient String Matching, 1975).
type automaton struct {
	class   [256]uint8 // bytes that no word has are of class 0
	next    []uint32   // by state and class; states are numbers of rows, times their width
	telling uint32     // states from here on end words
	ends    [][]int    // words that end in a state, by its row from telling on
	width   uint32
}

type trie struct {
	next map[uint8]int
	fail int
	ends []int
}

// newAutomaton takes words in lower case.
func newAutomaton(words []string) *automaton {
	a := &automaton{width: 1}
	for _, w := range words {
		for i := range len(w) {
			if c := w[i]; a.class[c] == 0 {
				a.class[c] = uint8(a.width)
				a.width++
			}
		}
	}
	for c := byte('A'); c <= 'Z'; c++ {
		a.class[c] = a.class[c-'A'+'a']
	}
	nodes := a.plant(words)
	queue := a.link(nodes)
	a.number(nodes, queue)
	return a
}

func (a *automaton) plant(words []string) []trie {
	nodes := []trie{{next: map[uint8]int{}}}
	for n, w := range words {
		at := 0
		for i := range len(w) {
			c := a.class[w[i]]
			to, ok := nodes[at].next[c]
			if !ok {
				to = len(nodes)
				nodes[at].next[c] = to
				nodes = append(nodes, trie{next: map[uint8]int{}})
			}
			at = to
		}
		nodes[at].ends = append(nodes[at].ends, n)
	}
	return nodes
}

// link makes of the tree what goes on after a word failed, and returns its nodes
// from the root on.
func (a *automaton) link(nodes []trie) []int {
	queue := []int{0}
	for i := 0; i < len(queue); i++ {
		at := queue[i]
		fail := nodes[at].fail
		nodes[at].ends = append(nodes[at].ends, nodes[fail].ends...)
		if at == 0 {
			nodes[at].ends = nil
		}
		for c := range uint8(a.width) {
			back := 0
			if at != 0 {
				back = nodes[fail].next[c]
			}
			to, ok := nodes[at].next[c]
			if !ok {
				nodes[at].next[c] = back
				continue
			}
			nodes[to].fail = back
			queue = append(queue, to)
		}
	}
	return queue
}

// number gives the highest numbers to states that end words: one comparison then
// tells them.
func (a *automaton) number(nodes []trie, queue []int) {
	slices.SortStableFunc(queue, func(x, y int) int {
		return cmp.Compare(min(1, len(nodes[x].ends)), min(1, len(nodes[y].ends)))
	})
	row := make([]uint32, len(nodes))
	a.telling = uint32(len(nodes)) * a.width
	for i, n := range queue {
		row[n] = uint32(i) * a.width
		if len(nodes[n].ends) > 0 {
			a.telling = min(a.telling, row[n])
			a.ends = append(a.ends, nodes[n].ends)
		}
	}
	a.next = make([]uint32, len(nodes)*int(a.width))
	for n := range nodes {
		for c, to := range nodes[n].next {
			a.next[row[n]+uint32(c)] = row[to]
		}
	}
}

// each calls f with the words in a text and where they end.
func (a *automaton) each(text []byte, f func(word, end int)) {
	state := uint32(0)
	for i, c := range text {
		state = a.next[state+uint32(a.class[c])]
		if state >= a.telling {
			for _, word := range a.ends[(state-a.telling)/a.width] {
				f(word, i+1)
			}
		}
	}
}
