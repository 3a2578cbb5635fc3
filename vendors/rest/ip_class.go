package rest

import (
	"context"
	"net"
	"net/netip"
	"slices"

	"kb-mcp/vendors"
)

// class is a set of networks that addresses lead to.
type class uint8

const (
	public class = 1 << iota
	private
	loopback
	linkLocal
	nowhere class = 0 // not an address to fetch anything from
)

// classOf returns the class of an address, or of the IPv4 address inside it.
func classOf(ip netip.Addr) class {
	ip = inner(ip.Unmap().WithZone(""))
	switch {
	case !ip.IsValid(), ip.IsMulticast(), slices.Contains(metadata(), ip.String()):
		return nowhere
	case ip.IsLoopback(), ip.IsUnspecified(): // what is sent to 0.0.0.0 arrives here
		return loopback
	case ip.IsLinkLocalUnicast():
		return linkLocal
	case ip.IsPrivate(), in(ip, "100.64.0.0/10", "192.0.0.0/24", "198.18.0.0/15", "fec0::/10"):
		return private
	case in(ip, "0.0.0.0/8", "240.0.0.0/4", "64:ff9b:1::/48", "2001::/32"): // the last two hold an IPv4 address somewhere
		return nowhere
	}
	return public
}

// inner is the IPv4 address that an IPv6 address stands for: of a translator
// (NAT64), of 6to4, or in the old compatible form.
func inner(ip netip.Addr) netip.Addr {
	b := ip.As16()
	switch {
	case ip.Is4():
	case in(ip, "2002::/16"):
		return netip.AddrFrom4([4]byte(b[2:6]))
	case in(ip, "64:ff9b::/96"), in(ip, "::/96") && !ip.IsUnspecified() && !ip.IsLoopback():
		return netip.AddrFrom4([4]byte(b[12:16]))
	}
	return ip
}

func in(ip netip.Addr, networks ...string) bool {
	return slices.ContainsFunc(networks, func(n string) bool { return netip.MustParsePrefix(n).Contains(ip) })
}

// metadata are the addresses at which clouds hand a machine its credentials.
func metadata() []string {
	return []string{"169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "100.96.0.96", "168.63.129.16",
		"192.0.0.192", "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254"}
}

// classesOf are the networks that a host's addresses lead to; none when it has
// no address.
func classesOf(ctx context.Context, host string) (all class, addresses int) {
	if ip, err := netip.ParseAddr(host); err == nil {
		return classOf(ip), 1
	}
	list, _ := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	for _, ip := range list {
		all |= classOf(ip)
	}
	return all, len(list)
}

// elsewhere is the error for an address that leads into a network which neither
// is public nor has the platform itself.
func elsewhere() *vendors.Error {
	return vendors.Errorf(vendors.BadResponse, "The platform gave an address for the file that leads into another network than its own, and was not asked.").
		WithHint("Let the platform give addresses of the network that this connection's base URL is in.")
}
