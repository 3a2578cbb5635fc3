package recent

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"
)

func TestMap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New[int](100, time.Minute)
		if m.Has("a") {
			t.Error("remembered before it was put")
		}
		m.Put("a", 1)
		time.Sleep(time.Minute - time.Second)
		if m.Put("b", 2); !m.Has("a") {
			t.Error("forgotten too early")
		}
		time.Sleep(time.Second)
		if m.Has("a") || !m.Has("b") {
			t.Error("a value is forgotten when it is old, however often it was asked for")
		}
		if m.Forget("b"); m.Has("b") {
			t.Error("not forgotten")
		}
		m.Put("b", 3)
		if n, _ := m.Get("b"); n != 3 {
			t.Errorf("b is %d", n)
		}
		for i := range 500 {
			m.Put(fmt.Sprint(i), i)
		}
		if n := m.names.Len(); n != 100 || m.Has("b") || !m.Has("499") {
			t.Errorf("%d are remembered", n)
		}
	})
}

func TestMapWithoutAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := New[int](1, 0)
		m.Put("a", 1)
		time.Sleep(1000 * time.Hour)
		if !m.Has("a") {
			t.Error("forgotten, although there is room")
		}
	})
}
