package main

import (
	"net"
	"time"

	"golang.org/x/sys/unix"
)

// watched is the window in which no more than a quota per second may arrive: less
// than the second that a process keeps, by what the kernel's clock is coarse.
const watched = 980 * time.Millisecond

// arrival is when the kernel got the last bytes of a connection.
func arrival(c net.Conn) time.Time {
	raw, err := c.(*net.TCPConn).SyscallConn()
	if err != nil {
		return time.Now()
	}
	for {
		asked := time.Now()
		var info *unix.TCPInfo
		if e := raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }); e != nil || err != nil {
			return asked // it is closed already
		}
		if time.Since(asked) < time.Millisecond {
			return asked.Add(-time.Duration(info.Last_data_recv) * time.Millisecond)
		}
	}
}
