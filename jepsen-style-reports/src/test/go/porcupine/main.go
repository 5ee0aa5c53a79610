// Command porcupine checks histories with Porcupine, by models of its own: one history in JSON a
// line on standard input, "valid" or "invalid" a line on standard output. PorcupineTest compares
// these verdicts with Holdfast's.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"reflect"

	"github.com/anishathalye/porcupine"
)

type op struct {
	F      string `json:"f"`
	Client string `json:"client"`
	Fence  *int64 `json:"fence"`
	Arg    any    `json:"arg"`
	Result any    `json:"result"`
	Call   int64  `json:"call"`
	Return int64  `json:"return"`
	// Open operations may have happened, or not.
	Open bool `json:"open"`
	// Until is the end of the lease that is acquired or renewed.
	Until int64 `json:"until"`
	// Told is when the holder was notified of the loss that this is, of an acquisition not later.
	Told int64 `json:"told"`
}

type history struct {
	Model string `json:"model"`
	Ops   []op   `json:"ops"`
}

// none stands for no fence.
const none = math.MinInt64

// A state is compared with ==.
type state struct {
	owner string
	times int
	fence int64
	// highest fence of all grants
	highest int64
	since   int64
	renewed int64
	end     int64
	// clock is the earliest time at which the last step can have happened.
	clock int64
	value any
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 1<<26)
	for in.Scan() {
		var h history
		if err := json.Unmarshal(in.Bytes(), &h); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(2)
		}
		if explains(h) {
			fmt.Println("valid")
		} else {
			fmt.Println("invalid")
		}
	}
	if err := in.Err(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
}

func explains(h history) bool {
	model := &porcupine.NondeterministicModel{
		Init: func() []any {
			return []any{state{fence: none, highest: none, clock: math.MinInt64}}
		},
		Step: func(s, input, _ any) []any {
			o := input.(op)
			var next []any
			if o.Open {
				next = append(next, s)
			}
			for _, n := range steps(h.Model, s.(state), o) {
				next = append(next, n)
			}
			return next
		},
	}
	var operations []porcupine.Operation
	for i, o := range h.Ops {
		operations = append(operations,
			porcupine.Operation{ClientId: i, Input: o, Call: o.Call, Return: o.Return})
	}
	return porcupine.CheckOperations(model.ToModel(), operations)
}

// steps returns the states after an operation that happens.
func steps(model string, s state, o op) []state {
	switch model {
	case "register", "cas-register":
		return register(s, o)
	case "mutex":
		return semaphore(s, o, 1)
	case "semaphore:2":
		return semaphore(s, o, 2)
	case "owner-mutex":
		return reentrant(s, o, 1)
	case "reentrant-mutex:2":
		return reentrant(s, o, 2)
	case "fenced-mutex":
		return fenced(s, o)
	case "lease":
		return lease(s, o)
	}
	panic("no model " + model)
}

func register(s state, o op) []state {
	switch {
	case o.F == "read" && (o.Open || reflect.DeepEqual(o.Result, s.value)):
		return []state{s}
	case o.F == "write":
		s.value = o.Arg
		return []state{s}
	case o.F == "cas":
		if pair := o.Arg.([]any); reflect.DeepEqual(pair[0], s.value) {
			s.value = pair[1]
			return []state{s}
		}
	}
	return nil
}

func semaphore(s state, o op, permits int) []state {
	if o.F == "acquire" {
		s.times++
	} else {
		s.times--
	}
	if s.times < 0 || s.times > permits {
		return nil
	}
	return []state{s}
}

func reentrant(s state, o op, most int) []state {
	switch {
	case o.F == "acquire" && (s.times == 0 || s.owner == o.Client && s.times < most):
		s.owner = o.Client
		s.times++
		return []state{s}
	case o.F == "release" && s.times > 0 && s.owner == o.Client:
		s.times--
		return []state{s}
	}
	return nil
}

// named tells whether an operation can be about the grant that is held.
func named(s state, o op) bool {
	if s.times == 0 || s.owner != o.Client {
		return false
	}
	if o.Fence == nil {
		return true
	}
	return *o.Fence == s.fence || s.fence == none && *o.Fence > s.highest
}

func learn(s state, o op) state {
	if o.Fence != nil {
		s.fence = *o.Fence
		s.highest = max(s.highest, *o.Fence)
	}
	return s
}

func free(s state) state {
	return state{fence: none, highest: s.highest, clock: s.clock}
}

func fenced(s state, o op) []state {
	switch {
	case o.F == "acquire" && s.times == 0 && (o.Fence == nil || *o.Fence > s.highest):
		return []state{learn(state{owner: o.Client, times: 1, fence: none, highest: s.highest,
			clock: s.clock}, o)}
	case o.F == "renew" && named(s, o):
		return []state{learn(s, o)}
	case o.F == "release" && named(s, o):
		return []state{free(learn(s, o))}
	}
	return nil
}

// lease is a fenced mutex on a clock: a step happens at its call at the earliest, after all steps
// before it, and a lease may end by itself from its end on.
func lease(s state, o op) []state {
	s.clock = max(s.clock, o.Call)
	var next []state
	switch o.F {
	case "acquire":
		if s.times > 0 {
			s.clock = max(s.clock, s.end)
			s = free(s)
		}
		for _, n := range fenced(s, o) {
			n.since, n.renewed, n.end = o.Call, o.Call, o.Until
			next = append(next, n)
		}
	case "renew":
		for _, n := range fenced(s, o) {
			if !o.Open && o.Call >= n.renewed {
				n.renewed, n.end = o.Call, o.Until
			}
			next = append(next, n)
		}
	case "release":
		next = fenced(s, o)
	case "loss":
		if named(s, o) && s.since <= o.Told {
			next = append(next, free(learn(s, o)))
		}
	case "ended":
		if named(s, o) && o.Fence != nil && s.fence == *o.Fence {
			s = free(s)
		}
		next = append(next, s)
	default:
		panic("no operation " + o.F)
	}
	var possible []state
	for _, n := range next {
		if n.clock <= o.Return {
			possible = append(possible, n)
		}
	}
	return possible
}
