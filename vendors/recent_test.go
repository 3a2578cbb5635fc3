package vendors

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestRecent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var r recent[int]
		if r.has("a") {
			t.Error("remembered before it was noted")
		}
		r.put("a", 1)
		time.Sleep(recentTime - time.Second)
		if r.put("b", 2); !r.has("a") {
			t.Error("forgotten too early")
		}
		for range 4 {
			if time.Sleep(recentTime / 5); !r.has("a") {
				t.Error("forgotten because it was looked for")
			}
		}
		time.Sleep(recentTime / 5)
		if !r.has("b") || r.has("c") {
			t.Error("the younger is forgotten")
		}
		if r.forget("b"); r.has("b") {
			t.Error("not forgotten")
		}
		r.put("b", 3)
		if n, _ := r.get("b"); n != 3 {
			t.Errorf("b is %d", n)
		}
		time.Sleep(2 * recentTime)
		if r.has("a") || r.has("b") {
			t.Error("remembered for ever")
		}
		for i := range 5 * recentSize {
			r.put(fmt.Sprint(i), i)
		}
		if n := len(r.young) + len(r.old); n > 2*recentSize+1 {
			t.Errorf("%d are remembered", n)
		}
	})
}
