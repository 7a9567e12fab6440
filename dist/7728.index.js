const c=7728,d=[7728],n={7728:((s,t,_)=>{_.d(t,{getExecOutput:()=>o.Hq});var o=_(8518),E=_(6702)})};export{c as id,d as ids,n as modules};
