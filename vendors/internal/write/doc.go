// Package write holds what all platforms share when they change something. A
// driver makes one request and describes a row; the functions of this package
// send in batches, find out what a failed request did, and report what happened
// to each document. A request that could take effect twice is not sent twice.
package write
