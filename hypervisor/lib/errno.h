/* Error numbers: functions return them negative. The values are those of Xen's public errno.h (which are Linux's), so the
 * hypercall table hands them to the guest as they are; xen/table.c asserts that they are equal. */
#ifndef LIB_ERRNO_H
#define LIB_ERRNO_H

#define EPERM	   1
#define ENOENT	   2
#define ESRCH	   3
#define EIO	   5
#define ENXIO	   6
#define E2BIG	   7
#define EAGAIN	   11
#define ENOMEM	   12
#define EACCES	   13
#define EFAULT	   14
#define EBUSY	   16
#define EEXIST	   17
#define EXDEV	   18
#define ENODEV	   19
#define EINVAL	   22
#define ENOSPC	   28
#define ERANGE	   34
#define ENOSYS	   38
#define ENODATA	   61
#define EBADMSG	   74
#define EOVERFLOW  75
#define ERESTART   85 /* not for the guest: the call goes on later */
#define EOPNOTSUPP 95
#define ETIMEDOUT  110

#endif
