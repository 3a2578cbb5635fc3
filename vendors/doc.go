// Package vendors is the platform-neutral half of kb-mcp: the words in which
// an agent hears about documents, and the small contract a platform driver
// fulfils so that its documents can be told in them.
//
// # Words
//
//   - A platform is a kind of service (Coze, Dify, RAGFlow, Volcengine). A
//     connection is one account on one platform; tools call it "vendor".
//   - A knowledge base holds documents. A document is ingested: fetched,
//     parsed, split, embedded and indexed. [Status] says where it stands.
//   - A row is a document as a listing shows it.
//
// # How a call travels
//
//	tools -> Vendor -> Driver -> rest.Client -> ratelimit -> the platform
//
// [connection.Connection] is the concrete type that tools hold. It checks ids, pages, filters,
// removes rows already delivered, counts, and enforces what the contract says
// of every platform (the percent rule, "error only when failed"). A [Driver]
// only speaks its platform's dialect: it makes requests and converts answers,
// and trusts its arguments. Behaviour shared by two platforms belongs in
// Vendor, never in two drivers.
//
// # Under pressure
//
// Equal reads on their way are one request (rest.Flights), and so are questions
// for the progress of different documents of one knowledge base that come while
// a request waits for its turn (gather.go): a driver says how many documents one
// request of its platform takes ([Batcher]) and hears of the merged ones only. A
// credential that is not accepted and a quota that is used up are remembered for
// a while (breaker.go). The limit of an account is shared fairly between tools,
// parties and sessions ([Caller], ratelimit.Limiter).
//
// What a platform offers beyond reading are the interfaces of capability.go:
// having the method is having the tool, and [Adviser] says what to do instead
// of the others.
//
// # Adding a vendor
//
//  1. A package vendors/<name> with the files the others have: <name>.go
//     (Config, New, envelope check), documents.go, progress.go, wire.go.
//  2. A test of one call to vendortest.Run, and cases in testdata/<name>.
//  3. A face in vendors/sandbox, so that it can be tried without an account.
//  4. One import and one line in vendors/all, and a row in the README.
package vendors
