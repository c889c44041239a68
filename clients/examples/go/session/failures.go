package session

import (
	"cmp"
	"fmt"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc/status"
)

// Described is an error for people: its reason, or its code, and its message.
func Described(err error) string {
	failure := status.Convert(err)
	return fmt.Sprintf("%s: %s", cmp.Or(ReasonOf(err), failure.Code().String()), failure.Message())
}

// ReasonOf is an error's antiphon.errors.v1.ErrorReason, such as "DRAINING"; "" without one.
func ReasonOf(err error) string {
	for _, detail := range status.Convert(err).Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok && info.Domain == "antiphon" {
			return info.Reason
		}
	}
	return ""
}
