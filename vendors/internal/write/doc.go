// Package write is what all platforms share of changing something. A driver
// makes one request and says what a row is; the functions of this package send
// in batches, look at what became of a request that failed, and tell for each
// document what happened. Nothing is sent twice that could happen twice.
package write
